"""Query strategies: thin classes over the acquisition functions."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pools.pick import Pick
from strategies.acquisition import Acquisition
from strategies.protocols import AbstractQueue, DriverProtocol


@dataclass
class AcquisitionQuery:
    """Asks for what an acquisition function chooses from the unlabeled pool.

    Attributes:
        max_samples: how many samples to ask for.
        acquisition: chooses them.
        name: what the picks say who asked.
    """

    max_samples: int
    acquisition: Acquisition
    name: str
    driver: DriverProtocol | None = field(default=None, repr=False)

    @property
    def __protocol_name__(self) -> str:
        return self.name

    def attach(self, other: DriverProtocol) -> None:
        """Take the driver."""
        self.driver = other

    @property
    def is_attached(self) -> bool:
        """Whether there is a driver."""
        return self.driver is not None

    def sample(self, query_queue: AbstractQueue[Any], *_args: Any, **_kwargs: Any) -> None:  # noqa: ANN401
        """Put `max_samples` picks on the queue.

        Raises:
            RuntimeError: no driver is attached.
            UsageError: the pool has fewer candidates.
        """
        driver = attached(self.driver, self.name)
        pool = driver.unlabeled_pool
        selection = self.acquisition(
            pool.parameters,
            driver.training_pool.parameters,
            driver.learner,
            self.max_samples,
            driver.rng,
        )
        for rank, index in enumerate(selection.indices.tolist()):
            query_queue.put(
                Pick(
                    sample=pool[index],
                    asked_by=self.name,
                    score=_at(selection.scores, index),
                    probability=_at(selection.probabilities, rank),
                    reason=selection.reasons[rank] if selection.reasons else "",
                )
            )


@dataclass
class SobolContinuation:
    """Asks for the next points of the Sobol' sequence that the initial design began.

    Attributes:
        max_samples: how many samples to ask for.
    """

    max_samples: int
    driver: DriverProtocol | None = field(default=None, repr=False)
    __protocol_name__ = "sobol"

    def attach(self, other: DriverProtocol) -> None:
        """Take the driver."""
        self.driver = other

    @property
    def is_attached(self) -> bool:
        """Whether there is a driver."""
        return self.driver is not None

    def sample(self, query_queue: AbstractQueue[Any], *_args: Any, **_kwargs: Any) -> None:  # noqa: ANN401
        """Put `max_samples` picks on the queue.

        Raises:
            RuntimeError: no driver is attached.
        """
        driver = attached(self.driver, self.__protocol_name__)
        for sample in driver.design.next(self.max_samples):
            query_queue.put(Pick(sample, self.__protocol_name__, reason="next of the sequence"))


def attached(driver: DriverProtocol | None, name: str) -> DriverProtocol:
    """Return the driver.

    Raises:
        RuntimeError: there is none.
    """
    if driver is None:
        raise RuntimeError(f"strategy {name} has no driver; call attach(driver) before it is used")
    return driver


def _at(values: np.ndarray | None, index: int) -> float | None:
    return None if values is None else float(values[index])
