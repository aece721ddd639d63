"""How samples ended, counted: what a person reads first of a step."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from pools.outcome import Outcome
from pools.record import SampleRecord


@dataclass(frozen=True, slots=True)
class Tally:
    """Samples by how they stand; each is counted once.

    Attributes:
        solved: at the first attempt.
        recovered: by a later attempt: a rung of the ladder, a retry, or a run that was resumed.
        failed: without a solution, by the outcome of the last attempt.
        pending: not tried yet.
    """

    solved: int
    recovered: int
    failed: Mapping[Outcome, int]
    pending: int = 0

    @classmethod
    def of(cls, records: Sequence[SampleRecord], asked: int | None = None) -> Self:
        """Count records; what was asked for and has none is pending."""
        solved = [record for record in records if record.outcome is Outcome.OK]
        recovered = sum(is_recovered(record) for record in solved)
        failed = Counter(r.outcome for r in records if r.outcome and r.outcome is not Outcome.OK)
        ended = len(solved) + failed.total()
        return cls(
            solved=len(solved) - recovered,
            recovered=recovered,
            failed=dict(failed.most_common()),
            pending=(len(records) if asked is None else asked) - ended,
        )

    @property
    def failures(self) -> int:
        """How many have no solution."""
        return sum(self.failed.values())

    @property
    def failed_share(self) -> float:
        """Share of the samples that were tried and have no solution; 0 where none was tried."""
        tried = self.solved + self.recovered + self.failures
        return self.failures / tried if tried else 0.0

    def __str__(self) -> str:
        """Say it in words: `28 solved, 3 recovered, 1 failed: diverged`."""
        counts = {"recovered": self.recovered, "pending": self.pending, "failed": self.failures}
        parts = [f"{self.solved} solved", *(f"{n} {how}" for how, n in counts.items() if n)]
        return ", ".join(parts) + (f": {self._kinds()}" if self.failed else "")

    def _kinds(self) -> str:
        """Name the outcomes of the failed: with counts where they are of several kinds."""
        names = {outcome: outcome.value.replace("_", " ") for outcome in self.failed}
        if len(names) == 1:
            return next(iter(names.values()))
        return ", ".join(f"{n} {names[outcome]}" for outcome, n in self.failed.items())


def is_recovered(record: SampleRecord) -> bool:
    """Whether a sample has a solution though an earlier attempt at it failed."""
    earlier = record.attempts[:-1]
    return record.outcome is Outcome.OK and any(a.outcome is not Outcome.OK for a in earlier)
