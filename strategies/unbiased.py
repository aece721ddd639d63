"""What a learner foretold of samples that it did not choose, before it learnt from them.

The Sobol' share of each step does not depend on the learner. So its error there, as it stood
before these samples were learnt from, estimates the error over the whole parameter space without
the bias of active learning, unlike the error on the samples that it chose; and it costs no solver
run beside those that are learnt from anyway.

[Efron1993] B. Efron and R. J. Tibshirani, An introduction to the bootstrap, Chapman & Hall, 1993.
[Kuleshov2018] V. Kuleshov, N. Fenner and S. Ermon, Accurate uncertainties for deep learning using
calibrated regression, ICML 2018: the coverage of an interval.
[Spearman1904] C. Spearman, The proof and measurement of association between two things, American
Journal of Psychology 15(1), 1904.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from pools.errors import UsageError
from strategies.foretold import Foretold
from strategies.measured import HALF_WIDTH, measure, scale
from strategies.metrology import rank_correlation
from surrogates.prediction import Learner

if TYPE_CHECKING:  # torch takes seconds to load
    from pools.training import TrainingPool

Array = NDArray[np.float64]

WINDOW = 32
"""So many of the last foretold samples count: the learner was a worse one before."""

_FEWEST = 4  # samples that an interval or a correlation says anything of
_RESAMPLES = 2000


@dataclass(frozen=True, slots=True)
class UnbiasedError:
    """What the last foretold samples say of the learner.

    Attributes:
        samples: how many they are.
        error: the headline error, as on a test set.
        low: lower end of its 95 % bootstrap interval [Efron1993]; None of fewer than 4 samples.
        high: upper end, likewise.
        rank_correlation: of uncertainty and error [Spearman1904]; None where it is undefined.
        coverage90: share of the truths inside the central 90 % interval [Kuleshov2018].
    """

    samples: int
    error: float
    low: float | None
    high: float | None
    rank_correlation: float | None
    coverage90: float

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON; what is undefined is None."""
        return asdict(self)

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Read what `to_json` gave."""
        return cls(**content)


def foretell(
    learner: Learner, pool: "TrainingPool", chosen: Sequence[int], scales: Array, step: int
) -> list[Foretold]:
    """Compare what a learner says of samples that it has not learnt from with their solutions.

    Args:
        learner: the surrogate of `step`.
        pool: what that step's labels are in.
        chosen: positions in the pool of the samples that do not depend on the learner.
        scales: what errors of the quantities are measured in, shape (q,).
        step: which.

    Raises:
        CampaignError: a prediction is not finite.
    """
    if not chosen:
        return []
    block = pool.read(chosen)
    measured = measure(learner, block)
    off = np.abs(measured.mean - block.quantities)  # (m, q)
    errors = np.concatenate([measured.relative_l2, off / scales], 1)  # (m, c + q)
    covered = np.concatenate([measured.covered, off <= HALF_WIDTH * measured.std], 1)
    names = [
        *(f"fields.{name}" for name in pool.schema.fields),
        *(f"quantities.{name}" for name in pool.schema.quantities),
    ]
    variances = _variances(learner, block.parameters)
    return [
        Foretold(
            pool.ids[index],
            step,
            dict(zip(names, errors[row].tolist(), strict=True)),
            dict(zip(names, covered[row].tolist(), strict=True)),
            variances[row],
        )
        for row, index in enumerate(chosen)
    ]


def scales_of(quantities: Array) -> Array:
    """Return what errors of quantities are measured in: their spread over a pool, shape (q,)."""
    return np.array([scale(truth) for truth in quantities.T])


def unbiased_error(foretold: Sequence[Foretold], seed: int) -> UnbiasedError | None:
    """Summarise the last `WINDOW` foretold samples; None where there is none.

    Args:
        foretold: in the order of asking.
        seed: of the bootstrap's draws.
    """
    recent = foretold[-WINDOW:]
    if not recent:
        return None
    names = list(recent[0].errors)
    errors = np.array([[each.errors[name] for name in names] for each in recent])  # (m, o)
    squared = np.array([name.startswith("quantities.") for name in names])
    low, high = _interval(errors, squared, seed)
    return UnbiasedError(
        samples=len(recent),
        error=_headline(errors, squared),
        low=low,
        high=high,
        rank_correlation=_correlation(recent, errors),
        coverage90=float(np.mean([list(each.covered.values()) for each in recent])),
    )


def _headline(errors: Array, squared: NDArray[np.bool_]) -> float:
    """Return the mean over outputs, shape (m, o): root mean square of quantities, as on tests."""
    means = np.where(squared, np.sqrt((errors**2).mean(0)), errors.mean(0))
    return float(means.mean())


def _interval(
    errors: Array, squared: NDArray[np.bool_], seed: int
) -> tuple[float | None, float | None]:
    if len(errors) < _FEWEST:
        return None, None
    rng = np.random.default_rng(seed)
    draws = rng.integers(len(errors), size=(_RESAMPLES, len(errors)))
    found = [_headline(errors[draw], squared) for draw in draws]
    low, high = np.quantile(found, [0.025, 0.975]).tolist()
    return low, high


def _correlation(recent: Sequence[Foretold], errors: Array) -> float | None:
    variances = [each.variance for each in recent if each.variance is not None]
    if len(variances) < max(_FEWEST, len(recent)):
        return None
    return rank_correlation(np.array(variances), errors.mean(1))


def _variances(learner: Learner, parameters: Array) -> list[float | None]:
    try:
        return [float(value) for value in learner.uncertainty(parameters)]
    except UsageError:  # an ensemble of one member
        return [None] * len(parameters)
