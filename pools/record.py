"""A sample's directory: `sample.json`, one directory per attempt, and the published solution."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Self

from pools.errors import CampaignError, IntegrityError
from pools.files import digest, publish_json, publish_move
from pools.outcome import Outcome
from pools.pick import Pick
from pools.sample import Sample, lean
from pools.solution import Cost

Setting = bool | int | float | str
"""A value of a solver's setting that a try may change."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try at a sample.

    Attributes:
        directory: the attempt's directory, relative to the sample's.
        outcome: how it ended.
        reason: why, in words; empty when it went well.
        cost: what it cost.
        exit_code: of the solver's process; negative is the signal that ended it.
        log_tail: last lines of the log, where it failed.
        rung: the rung of the recovery ladder that was tried; empty as declared, or `by hand`.
        changes: what was changed against the campaign file, by key.
        start: id of the sample whose solution it began from.
        grade: `converged`, `marginal` or `rejected`, where the solver judges its answers.
        signal: name of the signal that ended the solver, such as SIGKILL.
        evidence: what the judgement rests on, as JSON.
    """

    directory: str
    outcome: Outcome
    reason: str = ""
    cost: Cost = field(default_factory=Cost)
    exit_code: int | None = None
    log_tail: str = ""
    rung: str = ""
    changes: Mapping[str, Setting] = field(default_factory=dict)
    start: str = ""
    grade: str = ""
    signal: str = ""
    evidence: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Self:
        """Read what `dataclasses.asdict` gave."""
        outcome, cost = Outcome(content["outcome"]), Cost(**content["cost"])
        return cls(**{**content, "outcome": outcome, "cost": cost})


@dataclass(frozen=True, slots=True)
class SampleRecord:
    """Everything known of one sample, as kept in `sample.json`.

    Attributes:
        pick: the sample, who asked for it and why.
        step: the step that asked.
        attempts: every try, in order.
        solution: SHA-256 of `solution.vtkhdf` once it is published.
    """

    pick: Pick
    step: int
    attempts: tuple[Attempt, ...] = field(default=())
    solution: str | None = None

    @property
    def outcome(self) -> Outcome | None:
        """How the sample stands: ok, the last attempt's outcome, or None before any attempt."""
        if self.solution is not None:
            return Outcome.OK
        return self.attempts[-1].outcome if self.attempts else None

    @property
    def seconds(self) -> float:
        """Solver seconds of all attempts."""
        return sum(attempt.cost.wall_seconds for attempt in self.attempts)

    def with_attempt(self, attempt: Attempt, solution: str | None = None) -> Self:
        """Return the record with one more attempt, and the solution's digest if there is one."""
        return replace(self, attempts=(*self.attempts, attempt), solution=solution)


@dataclass(frozen=True, slots=True)
class SampleDirectory:
    """The directory of one sample."""

    path: Path

    @property
    def solution(self) -> Path:
        """Where the published solution is."""
        return self.path / "solution.vtkhdf"

    def read(self) -> SampleRecord | None:
        """Return the record, or None before there is one.

        Raises:
            IntegrityError: `sample.json` is damaged.
        """
        file = self.path / "sample.json"
        if not file.exists():
            return None
        try:
            return _from_json(json.loads(file.read_text()))
        except (ValueError, KeyError, TypeError) as error:
            raise IntegrityError(
                f"{file} is not a sample's record ({error}); run `solverloop check` on "
                "the campaign's directory: it writes the record anew from what the attempts left"
            ) from error

    def write(self, record: SampleRecord) -> None:
        """Publish the record."""
        publish_json(self.path / "sample.json", asdict(record, dict_factory=lean))

    def withdraw(self, record: SampleRecord, reason: str) -> SampleRecord:
        """Take back a solution that cannot be used; its attempt failed, and keeps it."""
        *earlier, last = record.attempts
        failed = replace(last, outcome=Outcome.BAD_OUTPUT, reason=reason)
        refused = replace(record, attempts=(*earlier, failed), solution=None)
        self.write(refused)
        attempt = self.path / last.directory
        if attempt.is_dir() and self.solution.is_file():  # else its place is not kept
            publish_move(self.solution, attempt / self.solution.name)
        return refused

    def is_solved(self, record: SampleRecord) -> bool:
        """Whether the solution is there and is the one that the record names."""
        return (
            record.solution is not None
            and self.solution.is_file()
            and digest(self.solution) == record.solution
        )

    def has_solution(self) -> bool:
        """Whether the record on disk names the solution that is there."""
        record = self.read()
        return record is not None and self.is_solved(record)

    def attempts(self) -> list[Path]:
        """Return the attempts' directories, oldest first."""
        return sorted(self.path.glob("attempt-[0-9]*"), key=lambda path: _number(path.name))

    def next_attempt(self, record: SampleRecord | None = None) -> Path:
        """Make the next attempt's directory; numbers are never used again.

        Args:
            record: what is known of attempts whose directories may be gone.

        Raises:
            CampaignError: it cannot be made.
        """
        known = [attempt.directory for attempt in record.attempts] if record else []
        used = [_number(name) for name in [*known, *(path.name for path in self.attempts())]]
        directory = self.path / f"attempt-{max(used, default=0) + 1:02d}"
        try:
            directory.mkdir(parents=True)
        except OSError as error:
            raise CampaignError(
                f"cannot make {directory}: {error.strerror}; free some disk space, then run the "
                "same command again: nothing already solved is lost"
            ) from error
        return directory


def _number(attempt: str) -> int:
    return int(attempt.rpartition("-")[2])


def _from_json(content: dict[str, Any]) -> SampleRecord:
    pick = content["pick"]
    return SampleRecord(
        pick=Pick(**{**pick, "sample": Sample(**pick["sample"])}),
        step=content["step"],
        attempts=tuple(Attempt.from_json(attempt) for attempt in content["attempts"]),
        solution=content["solution"],
    )
