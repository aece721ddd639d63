"""The least that the loop needs of a strategy, and what a campaign's strategies see.

The documented protocols (`strategies.protocols`) have more members, which are supplied where a
class lacks them. A class with the members below is a strategy.
"""

import logging
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from pools.candidates import CandidatePool, DesignSequence
from pools.outcomes import Outcomes
from pools.space import ParameterSpace
from surrogates.prediction import Learner

if TYPE_CHECKING:  # torch takes seconds to load, and settings are read before anything is learnt
    from pools.training import TrainingPool
    from strategies.foretold import Foretold

Item = TypeVar("Item")
Item_co = TypeVar("Item_co", covariant=True)


@runtime_checkable
class AbstractQueue(Protocol[Item]):
    """First in, first out; a `queue.Queue` is one."""

    def put(self, item: Item) -> None:
        """Add an item at the end."""
        ...

    def get(self) -> Item:
        """Remove and return the first item."""
        ...

    def empty(self) -> bool:
        """Say whether there is nothing to get."""
        ...


@runtime_checkable
class DataPool(Protocol[Item_co]):
    """Samples, labelled or not, by position."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int, /) -> Item_co: ...


class CampaignScope(Protocol):
    """What a strategy of a campaign sees after `attach`: the state at one step."""

    @property
    def learner(self) -> Learner:
        """The surrogate that this step trained."""
        ...

    @property
    def training_pool(self) -> "TrainingPool":
        """The labelled samples."""
        ...

    @property
    def unlabeled_pool(self) -> CandidatePool:
        """The points that may be asked for."""
        ...

    @property
    def test_pool(self) -> "TrainingPool | None":
        """Samples that are never learnt from; None where there are none."""
        ...

    @property
    def outcomes(self) -> Outcomes:
        """How the samples that were tried so far ended, the failed ones among them."""
        ...

    @property
    def space(self) -> ParameterSpace:
        """The parameters, their bounds and scales."""
        ...

    @property
    def design(self) -> DesignSequence:
        """The Sobol' sequence that the initial design began."""
        ...

    @property
    def residual(self) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
        """How far predicted fields are from solving the solver's equations, (n, d) to (n,).

        Each candidate costs a short run of the solver: ask for few. 0 is the solution; nan where
        it cannot be evaluated. It raises a UsageError where the solver evaluates no residuals.
        """
        ...

    @property
    def rng(self) -> np.random.Generator:
        """The only source of random numbers of this step's phase."""
        ...

    @property
    def foretold(self) -> "Sequence[Foretold]":
        """What was foretold of the Sobol' share so far, in the order of asking."""
        ...

    @property
    def budget_left(self) -> float:
        """Share of the budget of solver seconds that is not spent, from 1 to 0; 0 without one."""
        ...

    @property
    def active_learning_step_idx(self) -> int:
        """The step."""
        ...

    @property
    def current_phase(self) -> str:
        """The phase that runs."""
        ...

    @property
    def log_dir(self) -> Path:
        """The step's directory."""
        ...

    @property
    def run_id(self) -> str:
        """Name of the campaign."""
        ...

    @property
    def logger(self) -> logging.Logger:
        """Where strategies log."""
        ...


@runtime_checkable
class Attachable(Protocol):
    """What all strategies have in common."""

    @property
    def __protocol_name__(self) -> str:
        """Name of the strategy, for logs and for the record of who asked."""
        ...

    @property
    def is_attached(self) -> bool:
        """Whether `attach` was called."""
        ...

    def attach(self, other: Any) -> None:  # noqa: ANN401 - a strategy says what it needs of it
        """Let the strategy see `other`: a driver."""
        ...


@runtime_checkable
class Querying(Attachable, Protocol):
    """Chooses what the solver is asked next."""

    @property
    def max_samples(self) -> int:
        """The most samples to ask for in a step."""
        ...

    def sample(
        self,
        query_queue: AbstractQueue[Any],
        *args: Any,  # noqa: ANN401 - each strategy its own
        **kwargs: Any,  # noqa: ANN401 - each strategy its own
    ) -> None:
        """Put at most `max_samples` on the queue: `Pick`s, or `Sample`s of the unlabeled pool."""
        ...


@runtime_checkable
class Labelling(Attachable, Protocol):
    """Obtains solutions of samples."""

    @property
    def __is_external_process__(self) -> bool:
        """Whether other processes do the work."""
        ...

    @property
    def __provides_fields__(self) -> AbstractSet[str] | None:
        """Names of what it provides; None where that is not known beforehand."""
        ...

    def label(
        self, queue_to_label: AbstractQueue[Any], serialize_queue: AbstractQueue[Any]
    ) -> None:
        """Take every sample from one queue and put its solution on the other."""
        ...


@runtime_checkable
class Measuring(Attachable, Protocol):
    """Measures how good the learner is, step after step."""

    @property
    def records(self) -> list[Any]:
        """What was measured, in order."""
        ...

    def append(self, record: Any) -> None:  # noqa: ANN401 - each strategy its own
        """Add one record."""
        ...

    def compute(
        self,
        *args: Any,  # noqa: ANN401 - each strategy its own
        **kwargs: Any,  # noqa: ANN401 - each strategy its own
    ) -> None:
        """Measure, and append the record."""
        ...

    def serialize_records(
        self,
        *args: Any,  # noqa: ANN401 - each strategy its own
        **kwargs: Any,  # noqa: ANN401 - each strategy its own
    ) -> None:
        """Write the records to a file."""
        ...

    def load_records(
        self,
        *args: Any,  # noqa: ANN401 - each strategy its own
        **kwargs: Any,  # noqa: ANN401 - each strategy its own
    ) -> None:
        """Read the records that `serialize_records` wrote."""
        ...

    def reset(self) -> None:
        """Forget all records."""
        ...
