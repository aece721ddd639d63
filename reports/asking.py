"""Who asked for what: the samples of each query strategy, and what came of them."""

from collections.abc import Sequence
from dataclasses import dataclass

from pools.outcome import Outcome
from pools.record import SampleRecord


@dataclass(frozen=True, slots=True)
class Asking:
    """What one strategy asked for.

    Attributes:
        name: of the strategy; the initial design and the test set are asked for too.
        asked: samples that were tried.
        failed: those of them without a solution.
        solver_seconds: that the solver ran for all of them.
    """

    name: str
    asked: int
    failed: int
    solver_seconds: float


def asking(records: Sequence[SampleRecord]) -> list[Asking]:
    """Return each strategy's samples in numbers, in the order in which they first asked."""
    names = dict.fromkeys(record.pick.asked_by for record in records)
    return [_asking(name, [r for r in records if r.pick.asked_by == name]) for name in names]


def _asking(name: str, records: Sequence[SampleRecord]) -> Asking:
    return Asking(
        name=name,
        asked=len(records),
        failed=sum(record.outcome is not Outcome.OK for record in records),
        solver_seconds=sum(record.seconds for record in records),
    )
