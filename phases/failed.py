"""Failed samples as a person looks at them: what happened, what the log says, where it is."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from phases.campaign import Campaign
from phases.label import records_of
from phases.retry_choice import chosen, is_failed
from phases.telling import read_logs, telling_lines
from phases.tries import is_interrupted, tries_of
from pools.outcome import Outcome
from pools.pick import Pick
from pools.record import Attempt, SampleRecord


@dataclass(frozen=True, slots=True)
class Failed:
    """One sample without a solution.

    Attributes:
        record: all that is known of it.
        tries: how each try was made and how it ended, in words.
        telling: the lines of the last attempt's logs that tell why.
        directory: of the last attempt.
    """

    record: SampleRecord
    tries: Sequence[str]
    telling: Sequence[str]
    directory: Path

    @property
    def last(self) -> Attempt:
        """The last attempt."""
        return self.record.attempts[-1]

    def to_json(self) -> dict[str, object]:
        """Return it for other programs."""
        return {
            "sample": self.record.pick.sample.id,
            "step": self.record.step,
            "asked_by": self.record.pick.asked_by,
            "parameters": dict(self.record.pick.sample.parameters),
            "outcome": self.last.outcome.value,
            "reason": self.last.reason,
            "telling": list(self.telling),
            "attempts": [_attempt_json(attempt) for attempt in self.record.attempts],
            "directory": str(self.directory),
        }


def failed_samples(campaign: Campaign, outcomes: Sequence[Outcome] = ()) -> list[Failed]:
    """Return the samples that have no solution, in the order in which they were asked for."""
    return [failed_of(campaign, record) for record in chosen(campaign, (), outcomes)]


def failed_among(campaign: Campaign, picks: Sequence[Pick]) -> list[Failed]:
    """Return those of some samples that have no solution, in their order."""
    records = records_of(campaign, picks)
    return [failed_of(campaign, record) for record in records if is_failed(campaign, record)]


def failed_of(campaign: Campaign, record: SampleRecord) -> Failed:
    """Return what a person looks at of a failed sample that has been tried."""
    last = record.attempts[-1]
    directory = campaign.sample_directory(record.pick.sample.id).path / last.directory
    telling = telling_lines(read_logs(directory) or last.log_tail)
    return Failed(record, tries_of(campaign, record), telling, directory)


def _attempt_json(attempt: Attempt) -> dict[str, object]:
    return {
        "directory": attempt.directory,
        "outcome": attempt.outcome.value,
        "interrupted": is_interrupted(attempt),
        "rung": attempt.rung,
        "changes": dict(attempt.changes),
        "start": attempt.start,
        "seconds": attempt.cost.wall_seconds,
        "reason": attempt.reason,
    }
