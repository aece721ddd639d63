"""Processes that label one sample with an awkward solver, to be killed, and who is in them."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from process_table import children_of, output_of

from pools.pick import Pick
from pools.record import SampleRecord
from pools.sample import Sample
from solvers.label import label_one
from solvers.policy import LabelPolicy
from solvers.settings import CustomSettings
from solvers.workers import SolverWorkers

RECORD = SampleRecord(Pick(Sample.of({"x": 0.3}, "awkward"), "test"), step=0)


def awkward(**options: Any) -> CustomSettings:
    """Return the settings of the awkward solver."""
    return CustomSettings(factory="awkward_solver:Awkward", options=options)


def start_caller(directory: Path, kind: str, does: str = "") -> subprocess.Popen[bytes]:
    """Label in `directory`, in a process of its own."""
    return subprocess.Popen(
        [sys.executable, __file__, str(directory), kind, does],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([".", "tests"])},
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def supervisor_of(caller: subprocess.Popen[bytes]) -> int:
    """Return the caller's supervisor."""
    (supervisor,) = children_of(caller.pid)
    return supervisor


def guard_of(caller: subprocess.Popen[bytes]) -> int:
    """Return the guard of the caller's supervisor."""
    return _child(caller, is_guard=True)


def solve_of(caller: subprocess.Popen[bytes]) -> int:
    """Return the caller's running solve."""
    return _child(caller, is_guard=False)


def kill(*processes: int) -> None:
    """Kill them, all before any can look at the others."""
    for number in (signal.SIGSTOP, signal.SIGKILL):
        for process in processes:
            os.kill(process, number)


def _child(caller: subprocess.Popen[bytes], *, is_guard: bool) -> int:
    children = children_of(supervisor_of(caller))
    (found,) = [c for c in children if (output_of(c) == os.devnull) == is_guard]
    return found


if __name__ == "__main__":
    place, what, told = sys.argv[1:]
    with SolverWorkers(awkward(kind=what, does=told)) as workers:
        label_one(RECORD, Path(place), workers, LabelPolicy(timeout_seconds=60, grace_seconds=1))
