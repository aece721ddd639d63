"""Processes that label one sample, to be killed, and who is in them."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from process_table import children_of, output_of
from pydantic import TypeAdapter

from pools.pick import Pick
from pools.record import SampleRecord
from pools.sample import Sample
from solvers.label import label_one
from solvers.policy import LabelPolicy
from solvers.settings import CustomSettings, SolverSettings
from solvers.workers import SolverWorkers

RECORD = SampleRecord(Pick(Sample.of({"x": 0.3}, "awkward"), "test"), step=0)


def awkward(**options: Any) -> CustomSettings:
    """Return the settings of the awkward solver."""
    return CustomSettings(factory="awkward_solver:Awkward", options=options)


def start_caller(directory: Path, kind: str, does: str = "") -> subprocess.Popen[bytes]:
    """Label in `directory` with the awkward solver, in a process of its own."""
    return start_labelling(awkward(kind=kind, does=does), RECORD, directory)


def start_labelling(
    settings: SolverSettings, record: SampleRecord, directory: Path
) -> subprocess.Popen[bytes]:
    """Label a sample in `directory`, in a process of its own."""
    asked = TypeAdapter(SampleRecord).dump_json(record).decode()
    return subprocess.Popen(
        [sys.executable, __file__, str(directory), settings.model_dump_json(), asked],
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
    place, content, asked = sys.argv[1:]
    chosen = TypeAdapter[SolverSettings](SolverSettings).validate_json(content)
    wanted = TypeAdapter(SampleRecord).validate_json(asked)
    with SolverWorkers(chosen) as workers:
        label_one(wanted, Path(place), workers, LabelPolicy(timeout_seconds=60, grace_seconds=1))
