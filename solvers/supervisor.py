"""Runs solves one after the other, each as a forked process session of its own.

Started by `solvers.workers` with the solver's settings as its argument. It builds the solver once
and forks for every request, so that a solve starts in milliseconds. Requests come as JSON lines on
standard input. The first answer says whether the solver can be used; then one JSON line answers
each request. Answers go to what was standard output at the start; what the solver prints goes to
standard error while it is built, and to the attempt's log while it solves.

Nothing is left behind: a solve ends at its deadline (TERM, grace, KILL); at end-of-file on
standard input, which is what the death of the parent looks like, the running solve and the
supervisor end at once; and what a solve left running is ended after it. That reaches every process
that `solvers.processes` finds: MPI ranks, grandchildren, daemons. Where the supervisor itself is
killed, the solve dies with it (PR_SET_PDEATHSIG), and the parent ends what the solve had started;
only where both are killed together may that outlive them.
"""

import ctypes
import json
import os
import select
import signal
import sys
import time
import traceback
from contextlib import suppress
from dataclasses import replace
from io import TextIOWrapper
from pathlib import Path
from typing import Any, TextIO

from pydantic import TypeAdapter

from pools.errors import SolverError
from pools.files import publish_json
from pools.outcome import Outcome
from pools.sample import Sample
from pools.vtkhdf import write_solution
from solvers.build import build
from solvers.fault import fault
from solvers.processes import MARK, Processes
from solvers.protocol import Solver
from solvers.settings import SolverSettings

_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Build the solver, then serve requests until standard input ends."""
    settings, python_path = sys.argv[1:]
    os.environ["PYTHONPATH"] = python_path  # what a solver runs gets the user's, not ours
    everything = Processes(os.environ[MARK])
    replies = _take_standard_output()
    try:
        if (solver := _build(settings, replies)) is not None:
            helpers = frozenset(everything.find())
            _serve(solver, replies, replace(everything, spared=helpers))
    finally:
        everything.end()


def _build(settings: str, replies: TextIO) -> Solver | None:
    """Build the solver and answer whether it can be used."""
    try:
        solver = build(TypeAdapter[SolverSettings](SolverSettings).validate_json(settings))
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a user's solver raises
        traceback.print_exc()
        _answer(replies, {"unusable": f"{type(error).__name__}: {error}"})
        return None
    _answer(replies, {"ready": True})
    return solver


def _take_standard_output() -> TextIO:
    """Keep standard output for answers; what anyone prints goes to standard error."""
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)  # a solve that is killed keeps its last lines
    return replies


def _answer(replies: TextIO, content: dict[str, Any]) -> None:
    replies.write(f"{json.dumps(content)}\n")
    replies.flush()


def _serve(solver: Solver, replies: TextIO, processes: Processes) -> None:
    """Answer requests; `processes` spares what the solver started when it was built."""
    while line := sys.stdin.buffer.readline():
        _answer(replies, _supervise(solver, json.loads(line), replies, processes))


def _supervise(
    solver: Solver, request: dict[str, Any], replies: TextIO, processes: Processes
) -> dict[str, Any]:
    """Fork one solve and watch it to its end."""
    _flush()  # else the fork would print it once more
    started, supervisor = time.monotonic(), os.getpid()
    child = os.fork()
    if child == 0:
        replies.close()  # the parent sees the supervisor's death as the end of the pipe
        _solve_and_exit(solver, request, supervisor)
    processes = replace(processes, session=child)
    watched = os.pidfd_open(child)
    timed_out = not _wait(watched, request["timeout_seconds"], processes)
    if timed_out:
        processes.signal(signal.SIGTERM)
        _wait(watched, request["grace_seconds"], processes)
    processes.end()  # before the solve is reaped: its number is not reused until then
    os.close(watched)
    _, status, usage = os.wait4(child, 0)
    return {
        "exit_code": os.waitstatus_to_exitcode(status),
        "timed_out": timed_out,
        "cost": {
            "wall_seconds": time.monotonic() - started,
            "cpu_seconds": usage.ru_utime + usage.ru_stime,
            "peak_memory": usage.ru_maxrss * 1024,
        },
    }


def _wait(watched: int, seconds: float, processes: Processes) -> bool:
    """Say whether the solve ended in time; end it and this process when the parent is gone."""
    ready, _, _ = select.select([watched, sys.stdin], [], [], seconds)
    if watched in ready:
        return True
    if sys.stdin in ready:  # the parent says nothing while a solve runs: it is gone
        replace(processes, spared=frozenset()).end()
        os._exit(1)
    return False


def _solve_and_exit(solver: Solver, request: dict[str, Any], supervisor: int) -> None:
    """Be the solve: a session of its own, its output in its directory, its result on disk."""
    exit_code = 1
    try:
        _detach(supervisor)
        directory = Path(request["directory"])
        _redirect(directory / "log.txt")
        started = time.monotonic()
        outcome, reason = _solve(solver, Sample(**request["sample"]), directory)
        verdict = {
            "outcome": outcome,
            "reason": reason,
            "wall_seconds": time.monotonic() - started,
        }
        publish_json(directory / "outcome.json", verdict)
        exit_code = 0
    except BaseException:  # noqa: BLE001 - a fork must never return into the supervisor
        traceback.print_exc()
    finally:
        _flush()
        os._exit(exit_code)


def _detach(supervisor: int) -> None:
    """Lead a session of its own that dies with the supervisor."""
    os.setsid()
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != supervisor:  # it died before it could be watched
        os._exit(1)


def _redirect(log: Path) -> None:
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(output, 1)
    os.dup2(output, 2)


def _flush() -> None:
    """Write out what Python and C libraries have buffered; `os._exit` does not."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    ctypes.CDLL(None).fflush(None)


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
    if bad := fault(solver, sample, solution):
        return Outcome.BAD_OUTPUT, bad
    ordered = solution.in_order(solver.quantities, solver.fields)  # as every other answer
    write_solution(directory / "solution.vtkhdf", ordered)
    return Outcome.OK, ""


if __name__ == "__main__":
    main()
