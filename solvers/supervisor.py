"""Runs solves one after the other, each as a forked process session of its own.

Started by `solvers.workers` with the solver's settings as its argument. It builds the solver once
and forks for every request (`solvers.solve`), so that a solve starts in milliseconds. Requests
come as JSON lines on standard input. The first answer says whether the solver can be used; then
one JSON line answers each request. Answers go to what was standard output at the start; what the
solver prints goes to standard error while it is built, and to the attempt's log while it solves.

Nothing is left behind: a solve ends at its deadline (TERM, grace, KILL); at end-of-file on
standard input, which is what the death of the parent looks like, the running solve and the
supervisor end at once; and what a solve left running is ended after it. That reaches every process
that `solvers.processes` finds: MPI ranks, grandchildren, daemons. Where the supervisor itself is
killed, with or without its parent, the solve dies with it (PR_SET_PDEATHSIG), and what the solve
had started is ended by the supervisor's guard (`solvers.guard`).
"""

import ctypes
import json
import os
import resource
import select
import signal
import sys
import time
import traceback
from dataclasses import dataclass, replace
from io import TextIOWrapper
from typing import Any, TextIO

from pydantic import TypeAdapter

from solvers import memory
from solvers.build import build
from solvers.guard import Guard
from solvers.processes import MARK, Processes
from solvers.protocol import Solver
from solvers.request import Request
from solvers.settings import SolverSettings
from solvers.solve import flush, solve_and_exit

_PR_SET_CHILD_SUBREAPER = 36


@dataclass(frozen=True, slots=True)
class _Supervised:
    """What a supervisor has while it serves.

    Attributes:
        solver: built once, for every solve.
        settings: what it was built from.
        replies: where answers go.
        processes: all that it may end; what the solver started when it was built is spared.
        guard: ends them where the supervisor cannot.
    """

    solver: Solver
    settings: SolverSettings
    replies: TextIO
    processes: Processes
    guard: Guard


def main() -> None:
    """Build the solver, then serve requests until standard input ends."""
    content, python_path = sys.argv[1:]
    os.environ["PYTHONPATH"] = python_path  # what a solver runs gets the user's, not ours
    guard = Guard.start(os.environ[MARK])
    everything = Processes(os.environ[MARK], spared=frozenset({guard.pid}))
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1)  # what loses its parent becomes our child
    replies = _take_standard_output()
    settings = TypeAdapter[SolverSettings](SolverSettings).validate_json(content)
    try:
        if (solver := _build(settings, replies)) is not None:
            helpers = frozenset({guard.pid, *everything.find()})
            processes = replace(everything, spared=helpers)
            _serve(_Supervised(solver, settings, replies, processes, guard))
    finally:
        everything.end()


def _build(settings: SolverSettings, replies: TextIO) -> Solver | None:
    """Build the solver and answer whether it can be used."""
    try:
        solver = build(settings)
        _ = solver.fingerprint, solver.quantities, solver.fields  # once, not in every solve
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


def _serve(ours: _Supervised) -> None:
    """Answer requests."""
    while line := sys.stdin.buffer.readline():
        _answer(ours.replies, _supervise(ours, Request.of_line(line)))


def _supervise(ours: _Supervised, request: Request) -> dict[str, Any]:
    """Fork one solve and watch it to its end."""
    flush()  # else the fork would print it once more
    started, kills, supervisor = time.monotonic(), memory.kills(), os.getpid()
    child = os.fork()
    if child == 0:
        ours.replies.close()  # the parent sees the supervisor's death as the end of the pipe
        ours.guard.leave()
        solve_and_exit(ours.solver, ours.settings, request, supervisor)
    ours.guard.watch(child)
    processes = replace(ours.processes, session=child)
    watched = os.pidfd_open(child)
    timed_out = not _wait(watched, request.timeout_seconds, ours.guard, processes)
    if timed_out:
        processes.signal(signal.SIGTERM)
        _wait(watched, request.grace_seconds, ours.guard, processes)
    processes.end()  # before the solve is reaped: its number is not reused until then
    ours.guard.watch(0)
    os.close(watched)
    _, status, usage = os.wait4(child, 0)
    orphans = _reap()
    return {
        "exit_code": os.waitstatus_to_exitcode(status),
        "timed_out": timed_out,
        "cost": {
            "wall_seconds": time.monotonic() - started,
            "cpu_seconds": sum(one.ru_utime + one.ru_stime for one in (usage, *orphans)),
            "peak_memory": max(one.ru_maxrss for one in (usage, *orphans)) * 1024,
        },
        "memory_kills": None if (now := memory.kills()) is None or kills is None else now - kills,
    }


def _reap() -> list[resource.struct_rusage]:
    """Take leave of what the solve had started and outlived, and return what each used."""
    used: list[resource.struct_rusage] = []
    while True:
        try:
            process, _, usage = os.wait4(-1, os.WNOHANG)
        except ChildProcessError:
            return used
        if process == 0:
            return used
        used.append(usage)


def _wait(watched: int, seconds: float, guard: Guard, processes: Processes) -> bool:
    """Say whether the solve ended in time; end it and this process when the parent is gone."""
    ready, _, _ = select.select([watched, sys.stdin], [], [], seconds)
    if watched in ready:
        return True
    if sys.stdin in ready:  # the parent says nothing while a solve runs: it is gone
        replace(processes, spared=frozenset({guard.pid})).end()
        os._exit(1)
    return False


if __name__ == "__main__":
    main()
