"""Runs solves one after the other, each as a forked process session of its own.

Started by `python -m solvers.supervisor` with the solver's settings as its argument. It imports
the solver once and forks for every request, so that a solve starts in milliseconds. Requests come
as JSON lines on standard input, and one JSON line answers each on standard output.

Nothing is left behind: a solve ends at its deadline (TERM, grace, KILL, by session, so that MPI
ranks and grandchildren end too); at end-of-file on standard input, which is what the death of the
parent looks like, the running solve is ended and the supervisor with it; and a solve dies with its
supervisor (PR_SET_PDEATHSIG).
"""

import ctypes
import json
import os
import select
import signal
import sys
import time
import traceback
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import TypeAdapter

from pools.errors import SolverError
from pools.files import publish_json
from pools.outcome import Outcome
from pools.sample import Sample
from pools.solution import Solution
from pools.vtkhdf import write_solution
from solvers.build import build
from solvers.protocol import Solver
from solvers.settings import SolverSettings

_PR_SET_PDEATHSIG = 1
_POLL_SECONDS = 0.05


def main() -> None:
    """Serve requests until standard input ends."""
    solver = build(TypeAdapter[SolverSettings](SolverSettings).validate_json(sys.argv[1]))
    while line := sys.stdin.buffer.readline():
        request = json.loads(line)
        answer = json.dumps(_supervise(solver, request))
        sys.stdout.write(f"{answer}\n")
        sys.stdout.flush()


def _supervise(solver: Solver, request: dict[str, Any]) -> dict[str, Any]:
    """Fork one solve and watch it to its end."""
    started = time.monotonic()
    child = os.fork()
    if child == 0:
        _solve_and_exit(solver, request)
    watched = os.pidfd_open(child)
    timed_out = not _wait(watched, started + request["timeout_seconds"])
    if timed_out:
        _end_session(child, request["grace_seconds"], watched)
    os.close(watched)
    _, status, usage = os.wait4(child, 0)
    _signal_session(child, signal.SIGKILL)  # whatever the solve left running
    return {
        "exit_code": os.waitstatus_to_exitcode(status),
        "timed_out": timed_out,
        "cost": {
            "wall_seconds": time.monotonic() - started,
            "cpu_seconds": usage.ru_utime + usage.ru_stime,
            "peak_memory": usage.ru_maxrss * 1024,
        },
    }


def _wait(watched: int, deadline: float) -> bool:
    """Wait for the solve until its deadline; exit with it when the parent is gone."""
    while (left := deadline - time.monotonic()) > 0:
        ready, _, _ = select.select([watched, sys.stdin], [], [], left)
        if watched in ready:
            return True
        if sys.stdin in ready:  # the parent says nothing while a solve runs: it is gone
            _end_everything()
    return False


def _end_everything() -> None:
    """End every session below this process, then this process."""
    for child in _children():
        _signal_session(child, signal.SIGKILL)
    os._exit(1)


def _end_session(session: int, grace: float, watched: int) -> None:
    """TERM, grace, KILL."""
    _signal_session(session, signal.SIGTERM)
    select.select([watched], [], [], grace)
    _signal_session(session, signal.SIGKILL)


def _signal_session(session: int, number: signal.Signals) -> None:
    """Send a signal to every process of a session, whatever its process group."""
    for process in Path("/proc").iterdir():
        if process.name.isdigit() and _stat(process)[3:4] == [str(session)]:
            try:
                os.kill(int(process.name), number)
            except ProcessLookupError:
                continue


def _children() -> list[int]:
    me = str(os.getpid())
    processes = [p for p in Path("/proc").iterdir() if p.name.isdigit()]
    return [int(p.name) for p in processes if _stat(p)[1:2] == [me]]


def _stat(process: Path) -> list[str]:
    """Return state, parent, group, session, ... of a process; nothing once it is gone."""
    try:
        return (process / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _solve_and_exit(solver: Solver, request: dict[str, Any]) -> None:
    """Be the solve: a session of its own, its output in its directory, its result on disk."""
    os.setsid()
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    directory = Path(request["directory"])
    _redirect(directory / "log.txt")
    started = time.monotonic()
    try:
        outcome, reason = _solve(solver, Sample(**request["sample"]), directory)
        verdict = {
            "outcome": outcome,
            "reason": reason,
            "wall_seconds": time.monotonic() - started,
        }
        publish_json(directory / "outcome.json", verdict)
    except BaseException:  # noqa: BLE001 - a fork must never return into the supervisor
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def _redirect(log: Path) -> None:
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(output, 1)
    os.dup2(output, 2)


def _solve(solver: Solver, sample: Sample, directory: Path) -> tuple[Outcome, str]:
    """Solve and write the solution; every failure becomes an outcome and a reason in words."""
    try:
        solution = solver.solve(sample, directory)
    except SolverError as error:
        return error.outcome, error.reason
    except (OSError, MemoryError) as error:
        traceback.print_exc()
        return Outcome.INFRASTRUCTURE, f"{type(error).__name__}: {error}"
    except Exception as error:  # noqa: BLE001 - whatever a user's solver raises is an outcome
        traceback.print_exc()
        return Outcome.BAD_OUTPUT, f"the solver raised {type(error).__name__}: {error}"
    if bad := _not_finite(solution):
        return Outcome.BAD_OUTPUT, f"{bad} is not finite"
    write_solution(directory / "solution.vtkhdf", solution)
    return Outcome.OK, ""


def _not_finite(solution: Solution) -> str:
    """Name the first quantity or field with a value that is not finite."""
    values = {name: [q.value] for name, q in solution.quantities.items()}
    fields = {name: f.values for name, f in solution.fields.items()}
    bad = (name for name, value in (values | fields).items() if not np.isfinite(value).all())
    return next(bad, "")


if __name__ == "__main__":
    main()
