"""How an attempt went: from how its process ended, what it said of itself, and what it left."""

from dataclasses import replace
from pathlib import Path

from pools.errors import IntegrityError
from pools.outcome import Outcome
from pools.record import Attempt, SampleDirectory
from pools.solution import Cost
from pools.vtkhdf import read_solution
from solvers import memory
from solvers.recovery import Try
from solvers.signals import ended_by
from solvers.solve import HELD
from solvers.verdict import Verdict
from solvers.workers import Ended

_TAIL_LINES = 20


def judge(directory: Path, ended: Ended | None, memory_gib: float | None = None) -> Attempt:
    """Say how an attempt went.

    Args:
        directory: the attempt's directory, in that of its sample.
        ended: how its process ended; None where nobody saw it.
        memory_gib: the limit of memory that it had.
    """
    verdict, tried = Verdict.read(directory), Try.read(directory)
    if ended is None:
        cost = Cost(wall_seconds=verdict.wall_seconds if verdict else 0.0)
        ended = Ended(0 if verdict else None, timed_out=False, cost=cost)
    said = weighed(directory, ended, verdict, memory_gib)
    if said.outcome is Outcome.OK and (unreadable := _unreadable(directory)):
        said = replace(said, outcome=Outcome.BAD_OUTPUT, reason=unreadable)
    return Attempt(
        directory=directory.name,
        outcome=said.outcome,
        reason=said.reason,
        cost=ended.cost,
        exit_code=ended.exit_code,
        log_tail="" if said.outcome is Outcome.OK else _log_tail(directory),
        rung=tried.rung,
        changes=tried.changes,
        start=tried.start,
        grade=said.grade,
        signal=ended_by(ended.exit_code) or str(said.evidence.get("signal", "")),
        evidence=said.evidence,
    )


def weighed(
    directory: Path, ended: Ended, verdict: Verdict | None, memory_gib: float | None
) -> Verdict:
    """Weigh what the process said against how it ended."""
    if ended.exit_code == HELD:
        return Verdict(Outcome.INFRASTRUCTURE, f"another solve has {directory}: see lease.json")
    if ended.timed_out:
        seconds = ended.cost.wall_seconds
        return Verdict(Outcome.TIMEOUT, f"ended at its deadline after {seconds:.1f} s")
    if want := _want_of_memory(directory, ended, verdict):
        reason = memory.explain(want, ended.cost.peak_memory, memory_gib)
        evidence = verdict.evidence if verdict else {}
        return Verdict(Outcome.INFRASTRUCTURE, reason, evidence=evidence)
    if verdict is not None:
        return verdict
    return Verdict(Outcome.INFRASTRUCTURE, _how_it_ended(ended))


def _want_of_memory(directory: Path, ended: Ended, verdict: Verdict | None) -> str:
    """Say what shows that an attempt ended for want of memory; nothing where nothing does."""
    signal_name = str(verdict.evidence.get("signal", "")) if verdict else ""
    is_killed = "SIGKILL" in {ended_by(ended.exit_code), signal_name}
    if is_killed and ended.memory_kills:
        return "the kernel killed a process for want of memory"
    if verdict is None and ended.exit_code and memory.ran_out(_log_tail(directory)):
        return f"{_how_it_ended(ended)} after it asked for memory in vain"
    return ""


def _how_it_ended(ended: Ended) -> str:
    if ended.exit_code is None:
        return "interrupted: the process that watched the solver ended"
    if not (name := ended_by(ended.exit_code)):
        return f"the solver's process ended with code {ended.exit_code}"
    unknown = name == "SIGKILL" and ended.memory_kills is None
    remark = " (whether for want of memory cannot be read on this machine)" if unknown else ""
    return f"the solver's process was ended by {name}{remark}"


def _unreadable(directory: Path) -> str:
    """Say why the attempt's solution cannot be read; nothing when it can."""
    published = SampleDirectory(directory.parent).solution
    finished = directory / published.name
    try:
        read_solution(finished if finished.exists() else published)
    except IntegrityError as error:
        return str(error)
    return ""


def _log_tail(directory: Path) -> str:
    logs = [file.read_text(errors="replace") for file in sorted(directory.glob("*log*"))]
    return "\n".join("\n".join(logs).splitlines()[-_TAIL_LINES:])
