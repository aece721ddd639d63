"""What a runner tells of each sample: that the work on it ended, and how."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from phases.campaign import Campaign
from pools.errors import SolverError
from pools.record import SampleRecord
from solvers.label import NOTHING_BY_HAND, ByHand


@dataclass(frozen=True, slots=True)
class How:
    """How samples are solved.

    Attributes:
        where: what the progress in the UI is called, such as `step003`.
        retry_failed: solve again what failed for a numerical reason.
        by_hand: what a person changes for this try.
    """

    where: str
    retry_failed: bool
    by_hand: ByHand = NOTHING_BY_HAND


@dataclass(frozen=True, slots=True)
class Ended:
    """How the work on one sample ended.

    Attributes:
        error: why there is no solution; None where there is one.
    """

    error: Exception | None

    @property
    def fault(self) -> Exception | None:
        """The error where it is not the sample's doing: a full disk, for example."""
        return None if isinstance(self.error, SolverError) else self.error


Runner = Callable[[Campaign, Sequence[SampleRecord], How], Iterator[Ended]]
"""Solves samples anywhere: yields once for each, in the order in which they end."""
