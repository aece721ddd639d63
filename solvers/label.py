"""Label one sample: the one plain function that every executor calls.

The directory is the truth. Whoever calls, however often, in whatever process: a sample that has
its solution is never solved again, and two callers never solve in one directory.
"""

import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from pools.errors import CampaignError, IntegrityError, SolverError
from pools.files import digest, publish_move
from pools.outcome import Outcome
from pools.record import Attempt, SampleDirectory, SampleRecord
from pools.solution import Cost
from pools.vtkhdf import read_solution
from solvers.policy import LabelPolicy
from solvers.workers import Ended, SolverWorkers

_TAIL_LINES = 20


def label_one(
    record: SampleRecord,
    directory: Path,
    workers: SolverWorkers,
    policy: LabelPolicy,
    *,
    retry_failed: bool = False,
) -> SampleRecord:
    """Obtain the solution of one sample, unless its directory has it already.

    Args:
        record: the sample as asked for, without attempts.
        directory: the sample's directory; it need not exist yet.
        workers: where the solver runs.
        policy: its deadline.
        retry_failed: try again also where an earlier attempt failed for a numerical reason.

    Returns:
        The sample's record, solved.

    Raises:
        SolverError: this attempt failed, or an earlier one did for a reason that would only repeat
            itself. The record on disk says so too.
        IntegrityError: the record on disk is damaged.
        CampaignError: the directory cannot be written, or the solver cannot be built at all.
    """
    place = SampleDirectory(directory)
    with _only_one(directory):
        known = _recover(place, place.read() or record)
        if place.is_solved(known):
            return known
        if known.attempts and not retry_failed and _is_final(known.attempts[-1]):
            raise _error(place, known.attempts[-1])
        known = _attempt(place, replace(known, solution=None), workers, policy)
    if known.solution is None:
        raise _error(place, known.attempts[-1])
    return known


def recover_record(record: SampleRecord, directory: Path) -> SampleRecord:
    """Write the record of a sample anew from what its attempts left; nothing is solved.

    Args:
        record: the sample as asked for, without attempts.
        directory: the sample's directory.
    """
    with _only_one(directory):
        return _recover(SampleDirectory(directory), record)


@contextmanager
def _only_one(directory: Path) -> Iterator[None]:
    """Hold the directory's lock; the kernel releases it when the holder dies."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        lock = (directory / ".lock").open("w")
    except OSError as error:
        raise CampaignError(
            f"cannot write {directory}: {error.strerror}; make the directory writable or free "
            "some disk space, then run the same command again: nothing already solved is lost"
        ) from error
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _recover(place: SampleDirectory, record: SampleRecord) -> SampleRecord:
    """Take over what a killed caller left: finished attempts count, cut ones are recorded."""
    known = {attempt.directory for attempt in record.attempts}
    for directory in place.attempts():
        if directory.name not in known:
            record = _conclude(place, record, directory, None)
    return record


def _attempt(
    place: SampleDirectory, record: SampleRecord, workers: SolverWorkers, policy: LabelPolicy
) -> SampleRecord:
    """Make one attempt in a directory of its own."""
    place.write(record)
    directory = place.next_attempt(record)
    ended = workers.run(
        record.pick.sample,
        directory,
        timeout_seconds=policy.timeout_seconds,
        grace_seconds=policy.grace_seconds,
    )
    return _conclude(place, record, directory, ended)


def _conclude(
    place: SampleDirectory, record: SampleRecord, directory: Path, ended: Ended | None
) -> SampleRecord:
    """Judge an attempt, publish its solution if it has one, and record it."""
    attempt, solution = _judge(directory, ended), None
    if attempt.outcome is Outcome.OK:
        finished = directory / place.solution.name
        if finished.exists():
            publish_move(finished, place.solution)
        solution = digest(place.solution)
    record = record.with_attempt(attempt, solution)
    place.write(record)
    return record


def _judge(directory: Path, ended: Ended | None) -> Attempt:
    """Say how an attempt went, from how its process ended and what it left."""
    verdict = _verdict(directory)
    if ended is None:
        cost = Cost(wall_seconds=verdict.get("wall_seconds", 0.0))
        ended = Ended(0 if verdict else None, timed_out=False, cost=cost)
    outcome, reason = _outcome(ended, verdict)
    if outcome is Outcome.OK and (unreadable := _unreadable(directory)):
        outcome, reason = Outcome.BAD_OUTPUT, unreadable
    tail = "" if outcome is Outcome.OK else _log_tail(directory)
    return Attempt(directory.name, outcome, reason, ended.cost, ended.exit_code, tail)


def _outcome(ended: Ended, verdict: dict[str, str]) -> tuple[Outcome, str]:
    if ended.timed_out:
        seconds = ended.cost.wall_seconds
        return Outcome.TIMEOUT, f"ended at its deadline after {seconds:.1f} s"
    if verdict:
        return Outcome(verdict["outcome"]), verdict["reason"]
    if ended.exit_code is None:
        return Outcome.INFRASTRUCTURE, "interrupted: the process that watched the solver ended"
    return Outcome.INFRASTRUCTURE, f"the solver's process ended with code {ended.exit_code}"


def _verdict(directory: Path) -> dict[str, Any]:
    file = directory / "outcome.json"
    content: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}
    return content


def _unreadable(directory: Path) -> str:
    """Say why the attempt's solution cannot be read; nothing when it can."""
    published = SampleDirectory(directory.parent).solution
    finished = directory / published.name
    try:
        read_solution(finished if finished.exists() else published)
    except IntegrityError as error:
        return str(error)
    return ""


def _is_final(attempt: Attempt) -> bool:
    return attempt.outcome not in {Outcome.OK, Outcome.INFRASTRUCTURE}


def _error(place: SampleDirectory, attempt: Attempt) -> SolverError:
    directory = place.path / attempt.directory
    return SolverError(attempt.outcome, attempt.reason, directory, attempt.log_tail)


def _log_tail(directory: Path) -> str:
    logs = [file.read_text(errors="replace") for file in sorted(directory.glob("*log*"))]
    return "\n".join("\n".join(logs).splitlines()[-_TAIL_LINES:])
