"""Memory that a solver has not: told from a crash, with the way out."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from awkward_solver import SIZE
from solve_callers import RECORD, awkward

from pools.errors import SolverError
from pools.outcome import Outcome
from pools.pick import Pick
from pools.record import Attempt, SampleDirectory, SampleRecord
from pools.sample import Sample
from pools.solution import Cost
from solvers import memory
from solvers.build import build
from solvers.judge import judge
from solvers.label import label_one
from solvers.policy import LabelPolicy
from solvers.settings import ChannelSettings
from solvers.verdict import Verdict
from solvers.workers import Ended, SolverWorkers

FREE = LabelPolicy(timeout_seconds=120, grace_seconds=1)
LIMITED = LabelPolicy(timeout_seconds=120, grace_seconds=1, memory_gib=0.5)


def failure(directory: Path, policy: LabelPolicy, kind: str, does: str = "") -> Attempt:
    """Return the attempt of a solver that behaves so."""
    with SolverWorkers(awkward(kind=kind, does=does)) as workers, pytest.raises(SolverError):
        label_one(RECORD, directory, workers, policy)
    record = SampleDirectory(directory).read()
    assert record is not None
    return record.attempts[-1]


def test_what_is_within_the_limit_is_solved(tmp_path: Path) -> None:
    with SolverWorkers(awkward()) as workers:
        record = label_one(RECORD, tmp_path / "s", workers, LIMITED)
    assert record.outcome is Outcome.OK


def test_an_allocation_above_the_limit_is_out_of_memory(tmp_path: Path) -> None:
    attempt = failure(tmp_path / "s", LIMITED, "allocates")
    assert attempt.outcome is Outcome.INFRASTRUCTURE
    assert attempt.reason.startswith("out of memory: ")
    assert "Unable to allocate 768. MiB" in attempt.reason
    assert "each process may take 0.5 GiB (label.memory_gib): raise that" in attempt.reason
    assert attempt.exit_code == 0  # the solve itself could say so
    assert 0 < attempt.cost.peak_memory < SIZE


def test_the_limit_is_that_of_commands_too(tmp_path: Path) -> None:
    command = f'{sys.executable} -c "bytearray({SIZE})" || echo refused > refused'
    with SolverWorkers(awkward(kind="scripts", does=command)) as workers:
        label_one(RECORD, tmp_path / "s", workers, LIMITED)
    assert (tmp_path / "s" / "attempt-01" / "refused").exists()


def test_without_a_limit_it_is_given(tmp_path: Path) -> None:
    with SolverWorkers(awkward(kind="allocates")) as workers:
        record = label_one(RECORD, tmp_path / "s", workers, FREE)
    assert record.attempts[0].cost.peak_memory > SIZE


def test_an_abort_after_bad_alloc_is_out_of_memory(tmp_path: Path) -> None:
    attempt = failure(tmp_path / "s", FREE, "bad_alloc")
    assert attempt.outcome is Outcome.INFRASTRUCTURE
    assert attempt.signal == "SIGABRT"
    assert attempt.reason.startswith("out of memory: the solver's process was ended by SIGABRT")
    assert "no label.memory_gib is set" in attempt.reason


def test_a_crash_is_none(tmp_path: Path) -> None:
    attempt = failure(tmp_path / "s", FREE, "crashes")
    assert attempt.signal == "SIGSEGV"
    assert attempt.reason == "the solver's process was ended by SIGSEGV"
    assert attempt.exit_code == -11


@pytest.fixture
def small_group() -> Iterator[Path]:
    """Return a control group of this machine with 256 MiB; where none can be made, skip."""
    for mount, file in (("memory", "memory.limit_in_bytes"), ("", "memory.max")):
        parent = Path("/sys/fs/cgroup") / mount / _own_group(mount)
        group = parent / f"solverloop-test-{os.getpid()}"
        try:
            group.mkdir()
        except OSError:
            continue
        try:
            (group / file).write_text(str(256 << 20))
            yield group
        except OSError:
            continue
        else:
            return
        finally:
            group.rmdir()
    pytest.skip("no control group can be made here")


def _own_group(controller: str) -> str:
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        if controller in controllers.split(","):
            return path.lstrip("/")
    return ""


def test_a_kill_by_the_kernel_is_out_of_memory(tmp_path: Path, small_group: Path) -> None:
    attempt = failure(tmp_path / "s", FREE, "oom", str(small_group))
    assert attempt.outcome is Outcome.INFRASTRUCTURE
    assert attempt.signal == "SIGKILL"
    assert "out of memory: the kernel killed a process for want of memory" in attempt.reason


def test_a_kill_by_a_person_is_none(tmp_path: Path) -> None:
    attempt = failure(tmp_path / "s", FREE, "scripts", "kill -9 $PPID")
    assert attempt.signal == "SIGKILL"
    assert attempt.reason == "the solver's process was ended by SIGKILL"


def test_the_embedded_solver_is_limited(tmp_path: Path) -> None:
    settings = ChannelSettings(mesh="fine")
    values = {"reynolds": 20.0, "semi_axis_a": 0.05, "semi_axis_b": 0.05, "angle": 0.0}
    sample = Sample.of({**values, "height": 0.2}, build(settings).fingerprint)
    record = SampleRecord(Pick(sample, "test"), step=0)
    little = LabelPolicy(timeout_seconds=120, memory_gib=0.2)
    with SolverWorkers(settings) as workers, pytest.raises(SolverError) as caught:
        label_one(record, tmp_path / "s", workers, little)
    assert caught.value.outcome is Outcome.INFRASTRUCTURE
    assert "out of memory" in caught.value.reason


def test_processor_seconds_are_those_of_the_tree(tmp_path: Path) -> None:
    """Of a child that the solver waits for, and of one that outlives it and is ended."""
    spin = f"{sys.executable} -c 'import time\nwhile time.process_time() < 0.5: pass\n{{}}'"
    child, left = spin.format(""), spin.format("time.sleep(99)")
    command = f"{left} & {child}; sleep 1"
    with SolverWorkers(awkward(kind="scripts", does=command)) as workers:
        record = label_one(RECORD, tmp_path / "s", workers, FREE)
    assert record.attempts[0].cost.cpu_seconds > 0.9


def test_kills_are_counted_here() -> None:
    assert memory.kills() is not None


def test_a_limit_does_not_outlast_the_solve() -> None:
    code = (
        "import resource; from solvers.memory import limited\n"
        "before = resource.getrlimit(resource.RLIMIT_DATA)\n"
        "with limited(1.0): assert resource.getrlimit(resource.RLIMIT_DATA)[0] == 1 << 30\n"
        "assert resource.getrlimit(resource.RLIMIT_DATA) == before"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_an_attempt_that_nobody_saw_end_is_interrupted(tmp_path: Path) -> None:
    attempt = judge(tmp_path, None)
    assert attempt.outcome is Outcome.INFRASTRUCTURE
    assert attempt.reason.startswith("interrupted")


@pytest.mark.parametrize(
    ("kills", "reason"),
    [
        (0, "simpleFoam was killed"),
        (None, "simpleFoam was killed"),
        (1, "out of memory: the kernel killed a process for want of memory"),
    ],
)
def test_a_command_that_the_kernel_killed(tmp_path: Path, kills: int | None, reason: str) -> None:
    """The solve itself lives on to say that its command was killed, but cannot know by whom."""
    evidence = {"signal": "SIGKILL", "commands": ["simpleFoam"]}
    Verdict(Outcome.INFRASTRUCTURE, "simpleFoam was killed", "", evidence).write(tmp_path)
    ended = Ended(0, timed_out=False, cost=Cost(peak_memory=3 << 30), memory_kills=kills)
    attempt = judge(tmp_path, ended)
    assert attempt.outcome is Outcome.INFRASTRUCTURE
    assert attempt.reason.startswith(reason)
    assert attempt.signal == "SIGKILL"
    assert attempt.evidence == evidence


def test_where_the_kernel_does_not_say_that_is_said(tmp_path: Path) -> None:
    attempt = judge(tmp_path, Ended(-9, timed_out=False, cost=Cost(), memory_kills=None))
    assert attempt.reason == (
        "the solver's process was ended by SIGKILL (whether for want of memory cannot be read "
        "on this machine)"
    )
