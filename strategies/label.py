"""A label strategy over any function that answers one sample: labelling without Prefect."""

from collections.abc import Callable, Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from pools.errors import SolverError
from pools.pick import Pick
from pools.sample import Sample
from pools.solution import Solution
from strategies.needed import AbstractQueue, CampaignScope


@dataclass(frozen=True, slots=True)
class FailedLabel:
    """A sample without a solution, and the error that carries its evidence."""

    sample: Sample
    error: SolverError


class SolverLabel:
    """Answers samples one after the other; one that fails never stops the others.

    Attributes:
        failures: the samples that have no solution, of every `label` so far.

    Args:
        label_one: answers a sample, or raises SolverError.
        provides: names of the fields and quantities of the answers, where they are known.
    """

    __protocol_name__ = "solver"
    __is_external_process__ = True

    def __init__(
        self, label_one: Callable[[Sample], Solution], provides: Iterable[str] | None = None
    ) -> None:
        self.label_one = label_one
        self.failures: list[FailedLabel] = []
        self.driver: CampaignScope | None = None
        self.__provides_fields__: AbstractSet[str] | None = (
            None if provides is None else frozenset(provides)
        )

    @property
    def is_attached(self) -> bool:
        """Whether `attach` was called; labelling does not need it."""
        return self.driver is not None

    def attach(self, other: CampaignScope) -> None:
        """Label on behalf of this driver."""
        self.driver = other

    def label(
        self,
        queue_to_label: AbstractQueue[Pick | Sample],
        serialize_queue: AbstractQueue[Solution],
    ) -> None:
        """Drain one queue of picks or samples, and put their solutions on the other."""
        while not queue_to_label.empty():
            item = queue_to_label.get()
            sample = item.sample if isinstance(item, Pick) else item
            try:
                serialize_queue.put(self.label_one(sample))
            except SolverError as error:
                self.failures.append(FailedLabel(sample, error))
