"""What a query strategy puts on the queue: a sample, and why it was picked."""

from dataclasses import dataclass

from pools.sample import Sample


@dataclass(frozen=True, slots=True)
class Pick:
    """One sample that a query asks for.

    Attributes:
        sample: what to solve.
        asked_by: name of the strategy.
        score: the strategy's score, higher is more wanted; None where it has none.
        probability: chance that the strategy picks this sample, where it draws.
        reason: why, in words.
    """

    sample: Sample
    asked_by: str
    score: float | None = None
    probability: float | None = None
    reason: str = ""
