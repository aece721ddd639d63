"""The documented protocols of active learning: the public way to extend the loop.

A class with the members is enough: nothing to inherit and nothing to register. What a class does
not define (`_args`, `is_attached`, `logger`, `__call__`) is supplied to it or not needed; what is
needed is in `strategies.needed`. A class that does inherit gets the defaults below.
"""

import logging
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, Self, TypeVar, runtime_checkable

from strategies.arguments import captured
from strategies.needed import AbstractQueue
from strategies.phase import ActiveLearningPhase

if TYPE_CHECKING:  # torch takes seconds to load, and a protocol needs none of it
    import torch
    from torch.optim import Optimizer
    from torch.optim.lr_scheduler import LRScheduler
    from torch.utils.data import DataLoader

__all__ = [
    "AbstractQueue",
    "ActiveLearningPhase",
    "ActiveLearningProtocol",
    "DataPool",
    "DriverProtocol",
    "InferenceProtocol",
    "LabelStrategy",
    "LearnerProtocol",
    "MetrologyStrategy",
    "QueryStrategy",
    "TrainingLoop",
    "TrainingProtocol",
    "ValidationProtocol",
]

Item = TypeVar("Item")


@runtime_checkable
class DataPool(Protocol[Item]):
    """Samples by position, to which others can be appended; a `Dataset` with `append` is one."""

    def __len__(self) -> int:
        """Return how many there are."""
        ...

    def __getitem__(self, index: int, /) -> Item:
        """Return one."""
        ...

    def __iter__(self) -> Iterator[Item]:
        """Iterate over all; not needed by the loop."""
        ...

    def append(self, item: Item, /) -> None:
        """Add one; a pool that persists has it on disk afterwards."""
        ...


class ActiveLearningProtocol(Protocol):
    """What all strategies have in common.

    Attributes:
        __protocol_name__: name of the strategy, for logs and records.
        __protocol_type__: the phase that it belongs to.
        _args: class and arguments that it was made with, for checkpoints.
        driver: what it is attached to.
    """

    __protocol_name__: str = ""
    __protocol_type__: ActiveLearningPhase
    _args: dict[str, Any]
    driver: Any = None

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:  # noqa: ANN401 - any strategy's
        """Make a strategy and keep what it was made with."""
        made = super().__new__(cls)
        made._args = captured(cls, args, kwargs)
        return made

    def attach(self, other: Any) -> None:  # noqa: ANN401 - a strategy says what it needs of it
        """Let the strategy see `other`: a `DriverProtocol`."""
        self.driver = other

    @property
    def is_attached(self) -> bool:
        """Whether `attach` was called."""
        return self.driver is not None

    @property
    def logger(self) -> logging.Logger | logging.LoggerAdapter[Any]:
        """Where the strategy logs: the driver's log once it is attached."""
        if getattr(self, "_logger", None) is None:
            self._setup_logger()
        return self._logger

    @logger.setter
    def logger(self, logger: logging.Logger | logging.LoggerAdapter[Any]) -> None:
        self._logger = logger

    _logger: logging.Logger | logging.LoggerAdapter[Any]

    def _setup_logger(self) -> None:
        """Log under the strategy's name until a driver gives it a logger of its own."""
        self._logger = logging.getLogger(f"solverloop.{name_of(self)}")

    @property
    def strategy_dir(self) -> Path:
        """Where the strategy may keep files: `<log_dir>/<phase>/<class>`; made if need be.

        Raises:
            RuntimeError: it is not attached yet.
        """
        phase = getattr(self, "__protocol_type__", "strategies")
        path: Path = self._attached().log_dir / str(phase) / type(self).__name__
        path.mkdir(parents=True, exist_ok=True)
        return path

    @property
    def checkpoint_dir(self) -> Path:
        """Directory of this step's checkpoints; made if need be.

        Raises:
            RuntimeError: it is not attached yet.
        """
        driver = self._attached()
        step = f"step_{driver.active_learning_step_idx}"
        path: Path = driver.log_dir / "checkpoints" / step
        path.mkdir(parents=True, exist_ok=True)
        return path

    def _attached(self) -> Any:  # noqa: ANN401 - whatever it was attached to
        if not self.is_attached:
            raise RuntimeError(
                f"{type(self).__name__} is not attached to a driver yet: give it to one, or call "
                "its attach(driver) first"
            )
        return self.driver


@runtime_checkable
class QueryStrategy(ActiveLearningProtocol, Protocol):
    """Chooses what is labelled next.

    Attributes:
        max_samples: the most samples to ask for in a step.
    """

    __protocol_type__: ActiveLearningPhase = ActiveLearningPhase.QUERY
    max_samples: int

    def sample(self, query_queue: AbstractQueue[Any], *args: Any, **kwargs: Any) -> None:  # noqa: ANN401
        """Put the chosen samples on the queue."""
        ...

    def __call__(self, query_queue: AbstractQueue[Any], *args: Any, **kwargs: Any) -> None:  # noqa: ANN401
        """Do as `sample`."""
        self.sample(query_queue, *args, **kwargs)


@runtime_checkable
class LabelStrategy(ActiveLearningProtocol, Protocol):
    """Obtains the ground truth of samples.

    Attributes:
        __is_external_process__: whether other processes do the work.
        __provides_fields__: names of what it provides, where that is known.
    """

    __protocol_type__: ActiveLearningPhase = ActiveLearningPhase.LABELING
    __is_external_process__: bool
    __provides_fields__: AbstractSet[str] | None = None

    def label(
        self,
        queue_to_label: AbstractQueue[Any],
        serialize_queue: AbstractQueue[Any],
        *args: Any,  # noqa: ANN401 - each strategy its own
        **kwargs: Any,  # noqa: ANN401 - each strategy its own
    ) -> None:
        """Take every sample from one queue and put its label on the other."""
        ...

    def __call__(
        self,
        queue_to_label: AbstractQueue[Any],
        serialize_queue: AbstractQueue[Any],
        *args: Any,  # noqa: ANN401 - each strategy its own
        **kwargs: Any,  # noqa: ANN401 - each strategy its own
    ) -> None:
        """Do as `label`."""
        self.label(queue_to_label, serialize_queue, *args, **kwargs)


@runtime_checkable
class MetrologyStrategy(ActiveLearningProtocol, Protocol):
    """Measures how good the learner is, step after step.

    Attributes:
        records: what was measured, in order.
    """

    __protocol_type__: ActiveLearningPhase = ActiveLearningPhase.METROLOGY
    records: list[Any]

    def append(self, record: Any) -> None:  # noqa: ANN401 - each strategy its own
        """Add one record."""
        self.records.append(record)

    def __len__(self) -> int:
        """Return how many records there are."""
        return len(self.records)

    def compute(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - each strategy its own
        """Measure, and append the record."""
        ...

    def __call__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - each strategy its own
        """Do as `compute`."""
        self.compute(*args, **kwargs)

    def serialize_records(self, path: Path | None = None, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401
        """Write the records to a file; the driver's checkpoints keep them anyway."""
        ...

    def load_records(self, path: Path | None = None, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401
        """Read the records that `serialize_records` wrote."""
        ...

    def reset(self) -> None:
        """Forget all records."""
        self.records = []


@runtime_checkable
class TrainingProtocol(Protocol):
    """The logic of one training step."""

    def __call__(self, model: Any, data: Any, /, *args: Any, **kwargs: Any) -> "torch.Tensor":  # noqa: ANN401
        """Return the loss of a batch, a scalar on which `backward` can be called."""
        ...


@runtime_checkable
class ValidationProtocol(Protocol):
    """The logic of one validation step; no gradients are kept."""

    def __call__(self, model: Any, data: Any, /, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        """Look at a batch; a number that is returned is averaged over the batches."""
        ...


@runtime_checkable
class InferenceProtocol(Protocol):
    """The logic of one inference step outside of training and validation."""

    def __call__(self, model: Any, data: Any, /, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        """Return what the model predicts."""
        ...


@runtime_checkable
class TrainingLoop(Protocol):
    """The logic over epochs."""

    def __call__(  # noqa: PLR0913 - documented
        self,
        model: Any,  # noqa: ANN401 - a module, or a learner
        optimizer: "Optimizer",
        train_dataloader: "DataLoader[Any]",
        *args: Any,  # noqa: ANN401 - each loop its own
        max_epochs: int | None = None,
        validation_dataloader: "DataLoader[Any] | None" = None,
        train_step_fn: TrainingProtocol | None = None,
        validate_step_fn: ValidationProtocol | None = None,
        lr_scheduler: "LRScheduler | None" = None,
        device: "str | torch.device | None" = None,
        dtype: "torch.dtype | None" = None,
        **kwargs: Any,  # noqa: ANN401 - each loop its own
    ) -> Any:  # noqa: ANN401 - nothing is asked of it
        """Train the model on the batches of the loader."""
        ...


@runtime_checkable
class LearnerProtocol(Protocol):
    """A learner with its own step functions; any `torch.nn.Module` is a learner without them."""

    def training_step(self, data: Any, /, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        """Return the loss of a batch."""
        ...

    def validation_step(self, data: Any, /, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        """Look at a batch without gradients."""
        ...

    def inference_step(self, data: Any, /, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        """Return what the learner predicts, for query and metrology."""
        ...

    def parameters(self) -> "Iterator[torch.Tensor]":
        """Return what is optimised."""
        ...

    def forward(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - each learner its own
        """Return the prediction of a batch."""
        ...


class DriverProtocol(Protocol):
    """What a strategy sees after `attach(driver)`.

    Attributes:
        learner: the surrogate.
        query_strategies: who chooses.
        query_queue: what is to be labelled.
        label_strategy: who labels.
        label_queue: what is freshly labelled.
        metrology_strategies: who measures.
        active_learning_step_idx: the step.
        current_phase: the phase that runs.
        log_dir: where logs, checkpoints and strategies' files are.
        run_id: name of the run.
    """

    learner: Any
    query_queue: AbstractQueue[Any]
    label_queue: AbstractQueue[Any]
    active_learning_step_idx: int
    current_phase: ActiveLearningPhase | None

    @property
    def query_strategies(self) -> list[Any]: ...

    @property
    def label_strategy(self) -> Any: ...  # noqa: ANN401 - any label strategy

    @property
    def metrology_strategies(self) -> list[Any]: ...

    @property
    def training_pool(self) -> Any: ...  # noqa: ANN401 - any pool

    @property
    def validation_pool(self) -> Any: ...  # noqa: ANN401 - any pool

    @property
    def unlabeled_pool(self) -> Any: ...  # noqa: ANN401 - any pool

    @property
    def log_dir(self) -> Path: ...

    @property
    def run_id(self) -> str: ...

    def active_learning_step(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401
        """Do one step."""
        ...

    def attach_strategies(self) -> None:
        """Let every strategy see the driver."""
        ...


def name_of(strategy: object) -> str:
    """Return a strategy's name: `__protocol_name__`, or its class's name."""
    return getattr(strategy, "__protocol_name__", "") or type(strategy).__name__
