"""Training of a surrogate on a pool, from new networks or on from those of a smaller pool.

When the pool grows, its POD basis and its scalings change. The networks' last layer is linear, so
it is re-expressed in the new ones before the training goes on: what the surrogate predicts stays
the same but for what the new basis cannot represent.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator

from pools.errors import UsageError
from pools.space import ParameterSpace
from pools.training import TrainingPool
from surrogates.ensemble import Network, Progress, initialise, train
from surrogates.outputs import Outputs, conversion
from surrogates.pod import coefficients, fit_pod
from surrogates.settings import EnsembleSettings
from surrogates.surrogate import EnsembleSurrogate, inputs_of, with_level
from surrogates.threads import torch_threads

_FEWEST = 2  # samples: fewer have no variance to learn from


@dataclass(frozen=True, slots=True)
class Fitted:
    """A finished training.

    Attributes:
        surrogate: the trained learner.
        history: mean loss of the members by optimizer step: the mean squared error over the pool,
            in units of the pool's variance.
    """

    surrogate: EnsembleSurrogate
    history: dict[int, float]


def fit(  # noqa: PLR0913 - what a training depends on
    pool: TrainingPool,
    space: ParameterSpace,
    settings: EnsembleSettings,
    seed: int,
    *,
    cheaper: Sequence[str] = (),
    previous: EnsembleSurrogate | None = None,
    progress: Progress | None = None,
) -> Fitted:
    """Train a surrogate on all samples of the pool.

    The result depends on the arguments alone, bit for bit on one machine: the draws come from a
    generator of their own, and torch runs on `settings.threads` threads meanwhile.

    Args:
        pool: at least two samples.
        space: the parameters, in the order of the pool's columns.
        settings: the networks and their training.
        seed: seed of the initial weights and of the order of the samples.
        cheaper: the levels of the solver but the finest, cheapest first. The networks learn from
            the samples of all, the level being an input.
        previous: the surrogate to go on from, unless `settings.retrain` is `from_scratch`.
        progress: told of steps done, their total and the loss, a hundred times.

    Raises:
        UsageError: the pool is too small, has neither quantities nor fields, or has other
            parameters than `space`; or `previous` cannot be continued.
    """
    _check(pool, space)
    below, levels = _below(pool, cheaper), 1 + len(cheaper)
    generator = Generator().manual_seed(seed)
    with torch_threads(settings.threads):
        basis = fit_pod(pool, settings.modes, settings.energy)
        quantities = torch.from_numpy(pool.quantities)  # (m, q)
        outputs = Outputs.of(quantities, basis)
        data = (
            with_level(inputs_of(pool.parameters, space), below, levels),
            outputs.encode(quantities, coefficients(pool, basis)),
        )
        if previous is None or settings.retrain == "from_scratch":
            network = _fresh(space.width + (levels > 1), outputs, settings, generator)
            schedule = settings.initial
        else:
            _check_previous(previous, pool, space, settings)
            network, schedule = reexpress(previous, outputs).network, settings.fine_tune
        network, history = train(network, data, settings, schedule, generator, progress)
    surrogate = EnsembleSurrogate(space, pool.schema, settings, network, outputs, levels)
    return Fitted(surrogate, history)


def reexpress(surrogate: EnsembleSurrogate, outputs: Outputs) -> EnsembleSurrogate:
    """Return the same surrogate with other outputs; what it predicts stays as far as they allow.

    Args:
        surrogate: the surrogate to convert.
        outputs: scaling and basis of the same quantities and fields.
    """
    matrix, offset = conversion(surrogate.outputs, outputs)
    *hidden, last = surrogate.network.weights
    *shifts, shift = surrogate.network.biases
    network = Network(
        (*hidden, (last.double() @ matrix).float()),  # (e, width, new outputs)
        (*shifts, (shift.double() @ matrix + offset).float()),
    )
    return replace(surrogate, network=network, outputs=outputs)


def _fresh(
    inputs: int, outputs: Outputs, settings: EnsembleSettings, generator: Generator
) -> Network:
    """Draw new networks; an output that does not vary is zero from the start and stays so."""
    network = initialise(inputs, outputs.size, settings, generator)
    *hidden, last = network.weights
    return Network((*hidden, last * outputs.varying), network.biases)


def _below(pool: TrainingPool, cheaper: Sequence[str]) -> NDArray[np.int64]:
    """Return how many levels below the finest each sample was asked at, shape (m,)."""
    places = {"": 0} | {name: len(cheaper) - place for place, name in enumerate(cheaper)}
    if unknown := set(pool.levels) - set(places):
        raise UsageError(
            f"the pool holds samples of the levels {sorted(unknown)}, but the surrogate is to "
            f"learn from {list(cheaper)} and the finest; name all levels that were asked"
        )
    return np.array([places[level] for level in pool.levels])


def _check(pool: TrainingPool, space: ParameterSpace) -> None:
    if len(pool) < _FEWEST:
        raise UsageError(
            f"the training pool holds {len(pool)} sample; a surrogate needs at least {_FEWEST}: "
            "enlarge the initial design"
        )
    if pool.schema.parameters != space.names:
        raise UsageError(
            f"the pool has the parameters {list(pool.schema.parameters)} and the space "
            f"{list(space.names)}; give the space that the pool was sampled from"
        )
    if not pool.schema.quantities and not pool.schema.fields:
        raise UsageError(
            "the pool has neither quantities nor fields; let the solver answer at least one"
        )


def _check_previous(
    previous: EnsembleSurrogate,
    pool: TrainingPool,
    space: ParameterSpace,
    settings: EnsembleSettings,
) -> None:
    """Refuse to continue networks of another shape, or of another problem."""
    before, now = previous.settings, settings
    pairs = {
        "space": (previous.space, space),
        "schema": (previous.schema, pool.schema),
        "members": (before.members, now.members),
        "width": (before.width, now.width),
        "depth": (before.depth, now.depth),
    }
    for name, (had, has) in pairs.items():
        if had != has:
            raise UsageError(
                f"the previous surrogate has {name} {had} and this one {has}; fine-tuning keeps "
                f"it: keep {name}, or set retrain to from_scratch"
            )
