"""Label one sample: the one plain function that every executor calls.

The directory is the truth. Whoever calls, however often, in whatever process: a sample that has
its solution is never solved again, and two callers never solve in one directory.
"""

import fcntl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from pools.errors import CampaignError, SolverError
from pools.files import digest, publish_move
from pools.outcome import Outcome
from pools.record import Attempt, SampleDirectory, SampleRecord
from pools.sample import Sample
from solvers.changes import Setting, changed
from solvers.judge import judge
from solvers.lease import Lease
from solvers.policy import LabelPolicy
from solvers.recovery import Next, Try, next_try
from solvers.retention import prune
from solvers.workers import Ended, SolverWorkers

_GRACE_SECONDS = 5.0  # of a solve that is found running where nobody should solve


@dataclass(frozen=True, slots=True)
class ByHand:
    """What a person changes when a sample is tried again.

    Attributes:
        changes: of the solver's settings, by key.
        timeout_seconds: the deadline; the policy's if None.
    """

    changes: Mapping[str, Setting] = field(default_factory=dict)
    timeout_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A solved sample that another one may start from.

    Attributes:
        sample: the sample.
        directory: where it and its solution are.
    """

    sample: Sample
    directory: Path


NOTHING_BY_HAND = ByHand()


def label_one(  # noqa: PLR0913 - what a sample's attempts depend on
    record: SampleRecord,
    directory: Path,
    workers: SolverWorkers,
    policy: LabelPolicy,
    *,
    retry_failed: bool = False,
    by_hand: ByHand = NOTHING_BY_HAND,
    neighbours: Sequence[Neighbour] = (),
) -> SampleRecord:
    """Obtain the solution of one sample, unless its directory has it already.

    Where it fails for a numerical reason, the rungs of the policy's ladder are tried in turn.

    Args:
        record: the sample as asked for, without attempts.
        directory: the sample's directory; it need not exist yet.
        workers: where the solver runs.
        policy: its deadline, its memory, and what to try when it fails.
        retry_failed: begin anew where earlier attempts failed for a numerical reason.
        by_hand: what to change then.
        neighbours: solved samples of earlier steps, nearest first, that a rung may start from.

    Returns:
        The sample's record, solved.

    Raises:
        SolverError: no attempt led to a solution, or none is left that would not only repeat an
            earlier one. The record on disk says so too.
        UsageError: what is changed by hand is not a setting of the solver.
        IntegrityError: the record on disk is damaged.
        CampaignError: the directory cannot be written, or the solver cannot be built at all.
    """
    changed(workers.settings, by_hand.changes)
    place = SampleDirectory(directory)
    with _only_one(directory):
        known = _recover(place, place.read() or record, policy.grace_seconds)
        if place.is_solved(known):
            prune(directory, known, policy.keep)  # whoever was killed meanwhile had not done it
            return known
        labelling = _Labelling(place, workers, policy, by_hand.timeout_seconds, neighbours)
        anew = dict(by_hand.changes) if retry_failed else None
        known = labelling.climb(replace(known, solution=None), anew)
        prune(directory, known, policy.keep)
    if known.solution is None:
        raise error_of(place, known.attempts[-1])
    return known


@dataclass(frozen=True, slots=True)
class _Labelling:
    """The attempts at one sample: `label_one` without its lock."""

    place: SampleDirectory
    workers: SolverWorkers
    policy: LabelPolicy
    timeout_seconds: float | None
    neighbours: Sequence[Neighbour]

    def climb(self, record: SampleRecord, anew: Mapping[str, Setting] | None) -> SampleRecord:
        """Try until there is a solution, a fault that is not the sample's, or nothing to try."""
        starts = self._starts()
        while True:
            upcoming = next_try(record, self.policy.recovery, starts=list(starts), anew=anew)
            record = _note(record, upcoming)
            if upcoming.tried is None:
                self.place.write(record)
                return record
            record = self._attempt(record, upcoming.tried, starts.get(upcoming.tried.start))
            if record.outcome in {Outcome.OK, Outcome.INFRASTRUCTURE}:
                return record
            anew = None

    def _attempt(self, record: SampleRecord, tried: Try, start: Path | None) -> SampleRecord:
        """Make one attempt in a directory of its own."""
        self.place.write(record)
        directory = self.place.next_attempt(record)
        ended = self.workers.run(
            record.pick.sample,
            directory,
            timeout_seconds=self.timeout_seconds or self.policy.timeout_seconds,
            grace_seconds=self.policy.grace_seconds,
            memory_gib=self.policy.memory_gib,
            tried=tried,
            start=start,
        )
        return _conclude(self.place, record, directory, ended, self.policy.memory_gib)

    def _starts(self) -> dict[str, Path]:
        """Return the directories of the samples that can be started from, by id."""
        return {
            neighbour.sample.id: neighbour.directory
            for neighbour in self.neighbours
            if SampleDirectory(neighbour.directory).solution.is_file()
        }


def recover_record(record: SampleRecord, directory: Path) -> SampleRecord:
    """Write the record of a sample anew from what its attempts left; nothing is solved.

    Args:
        record: the sample as asked for, without attempts.
        directory: the sample's directory.
    """
    with _only_one(directory):
        return _recover(SampleDirectory(directory), record, _GRACE_SECONDS)


@contextmanager
def _only_one(directory: Path) -> Iterator[None]:
    """Hold the directory's lock; the kernel releases it when the holder dies."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        lock = (directory / ".lock").open("a")
    except OSError as error:
        raise CampaignError(
            f"cannot write {directory}: {error.strerror}; make the directory writable or free "
            "some disk space, then run the same command again: nothing already solved is lost"
        ) from error
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _recover(place: SampleDirectory, record: SampleRecord, grace_seconds: float) -> SampleRecord:
    """Take over what a killed caller left: finished attempts count, cut ones are recorded.

    A solve that still runs there is ended first. A directory without the file that says how it is
    tried is no attempt: the caller was killed as it made it.
    """
    known = {attempt.directory for attempt in record.attempts}
    for directory in place.attempts():
        if directory.name in known or _is_removed(directory):
            continue
        if (lease := Lease.read(directory)) is not None:
            lease.end(grace_seconds)
        record = _conclude(place, record, directory)
    return record


def _is_removed(directory: Path) -> bool:
    """Remove a directory that holds nothing but unfinished files; say whether it was one."""
    files = list(directory.iterdir())
    if any(not file.name.startswith(".") for file in files):
        return False
    for file in files:
        file.unlink()
    directory.rmdir()
    return True


def _note(record: SampleRecord, upcoming: Next) -> SampleRecord:
    """Say in the last attempt's reason which rungs could not be tried after it."""
    if not upcoming.skipped or upcoming.skipped in record.attempts[-1].reason:
        return record
    *earlier, last = record.attempts
    last = replace(last, reason=f"{last.reason}; {upcoming.skipped}")
    return replace(record, attempts=(*earlier, last))


def _conclude(
    place: SampleDirectory,
    record: SampleRecord,
    directory: Path,
    ended: Ended | None = None,
    memory_gib: float | None = None,
) -> SampleRecord:
    """Judge an attempt, publish its solution if it has one, and record it."""
    attempt, solution = judge(directory, ended, memory_gib), None
    if attempt.outcome is Outcome.OK:
        finished = directory / place.solution.name
        if finished.exists():
            publish_move(finished, place.solution)
        solution = digest(place.solution)
    record = record.with_attempt(attempt, solution)
    place.write(record)
    return record


def error_of(place: SampleDirectory, attempt: Attempt) -> SolverError:
    """Return a failed attempt as the error that it ended with, with its evidence."""
    return SolverError(
        attempt.outcome,
        attempt.reason,
        place.path / attempt.directory,
        attempt.log_tail,
        attempt.evidence,
    )
