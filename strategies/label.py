"""The label strategy over any solver, for scripts that use no Prefect."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from pools.errors import SolverError
from pools.pick import Pick
from pools.sample import Sample
from strategies.protocols import AbstractQueue


@dataclass
class SolverLabel:
    """Labels by a function of one sample; a failed sample never stops the others.

    Attributes:
        label_one: returns the solution, or raises SolverError.
        provides: names of the fields that it gives.
        failures: why samples have no label, by sample id; of all calls.
    """

    label_one: Callable[[Sample], Any]
    provides: frozenset[str] = frozenset()
    failures: dict[str, SolverError] = field(default_factory=dict)
    driver: Any = field(default=None, repr=False)
    __protocol_name__ = "solver"
    __is_external_process__ = True

    @property
    def __provides_fields__(self) -> frozenset[str]:
        return self.provides

    def attach(self, other: Any) -> None:  # noqa: ANN401 - documented so
        """Take the driver."""
        self.driver = other

    @property
    def is_attached(self) -> bool:
        """Whether there is a driver."""
        return self.driver is not None

    def label(self, queue_to_label: AbstractQueue, serialize_queue: AbstractQueue) -> None:
        """Empty the first queue of samples and put their solutions on the second."""
        while not queue_to_label.empty():
            item = queue_to_label.get()
            sample = item.sample if isinstance(item, Pick) else item
            try:
                serialize_queue.put(self.label_one(sample))
            except SolverError as error:
                self.failures[sample.id] = error
