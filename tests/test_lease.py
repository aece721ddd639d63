"""One solve a directory: leases of real processes, living, dead and other."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from process_table import processes_in, wait_until
from solve_callers import RECORD, awkward, guard_of, kill, start_caller, supervisor_of

from pools.errors import SolverError
from pools.files import publish_json
from pools.outcome import Outcome
from pools.record import SampleDirectory
from solvers.label import label_one
from solvers.lease import FILE, HeldError, Lease
from solvers.policy import LabelPolicy
from solvers.processes import started_at
from solvers.workers import SolverWorkers

SAMPLE = RECORD.pick.sample
POLICY = LabelPolicy(timeout_seconds=60, grace_seconds=1)

HOLDER = """
import sys, time
from pathlib import Path
from solvers.lease import Lease
Lease.take(Path(sys.argv[1]))
print("taken", flush=True)
time.sleep(1000)
"""


def holder(directory: Path) -> subprocess.Popen[str]:
    """Start a process that takes the directory and stays."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(directory)],
        env={**os.environ, "PYTHONPATH": "."},
        stdout=subprocess.PIPE,
        start_new_session=True,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "taken\n"
    process.stdout.close()
    return process


def test_a_directory_is_taken_once(tmp_path: Path) -> None:
    process = holder(tmp_path)
    lease = Lease.read(tmp_path)
    assert lease is not None
    assert (lease.pid, lease.session) == (process.pid, process.pid)
    assert lease.is_held
    with pytest.raises(HeldError, match=f"belongs to process {process.pid}"):
        Lease.take(tmp_path)
    process.kill()
    wait_until(lambda: not lease.is_held)
    process.wait()
    with pytest.raises(HeldError):  # a directory is used once, alive or not
        Lease.take(tmp_path)


def test_ending_a_lease_ends_its_process(tmp_path: Path) -> None:
    process = holder(tmp_path)
    lease = Lease.read(tmp_path)
    assert lease is not None
    assert lease.end(grace_seconds=5)
    assert process.wait(timeout=5) == -signal.SIGTERM
    assert not lease.end(grace_seconds=5)


@pytest.mark.parametrize("other", [{"started": 1}, {"boot": "another"}])
def test_a_process_that_only_has_the_number_is_left_alone(
    tmp_path: Path, other: dict[str, Any]
) -> None:
    process = holder(tmp_path)
    lease = Lease.read(tmp_path)
    assert lease is not None
    stranger = replace(lease, token="another", **other)  # noqa: S106 - no password
    assert not stranger.is_held
    assert not stranger.end(grace_seconds=0)
    assert process.poll() is None
    process.kill()
    process.wait()


@pytest.mark.parametrize("content", ["", "{", "[]", '{"pid": "many"}'])
def test_a_lease_that_was_cut_short_names_nobody(tmp_path: Path, content: str) -> None:
    (tmp_path / FILE).write_text(content)
    assert Lease.read(tmp_path) is None
    with pytest.raises(HeldError, match="belongs to another process"):
        Lease.take(tmp_path)


def test_a_second_solve_is_refused_and_touches_nothing(tmp_path: Path) -> None:
    place = SampleDirectory(tmp_path / "s")
    directory = place.next_attempt()
    process = holder(directory)
    with SolverWorkers(awkward()) as workers:
        ended = workers.run(SAMPLE, directory, timeout_seconds=60)
    assert ended.exit_code == os.EX_TEMPFAIL
    assert sorted(path.name for path in directory.iterdir()) == [FILE, "try.json"]
    assert process.poll() is None
    process.kill()
    process.wait()


def test_a_solve_that_lives_on_is_ended_before_the_next(tmp_path: Path) -> None:
    """Supervisor, guard and caller are killed at once, and the solve does not care."""
    attempt = tmp_path / "s" / "attempt-01"
    caller = start_caller(tmp_path / "s", "outlives", "")
    wait_until(lambda: (attempt / FILE).exists() and len(processes_in(attempt)) == 1)
    lease = Lease.read(attempt)
    assert lease is not None
    kill(caller.pid, supervisor_of(caller), guard_of(caller))
    caller.wait()
    time.sleep(0.5)
    assert lease.is_held, "this test needs a solve that lives on"
    with SolverWorkers(awkward()) as workers:
        record = label_one(RECORD, tmp_path / "s", workers, POLICY)
    assert not lease.is_held
    assert [a.outcome for a in record.attempts] == [Outcome.INFRASTRUCTURE, Outcome.OK]
    assert "interrupted" in record.attempts[0].reason


def test_what_a_dead_solve_had_started_is_ended_before_the_next(tmp_path: Path) -> None:
    """The lease's process is gone; a process with its mark is not, in another session."""
    directory = SampleDirectory(tmp_path / "s").next_attempt()
    process = holder(directory)
    lease = Lease.read(directory)
    assert lease is not None
    left = subprocess.Popen(
        ["sleep", "1000"],
        env={**os.environ, "SOLVERLOOP_ATTEMPT": lease.token},
        start_new_session=True,
    )
    process.kill()
    process.wait()
    with SolverWorkers(awkward()) as workers:
        record = label_one(RECORD, tmp_path / "s", workers, POLICY)
    assert left.wait(timeout=5) == -signal.SIGTERM
    assert record.outcome is Outcome.OK


def test_other_attempts_of_the_same_supervisor_go_on(tmp_path: Path) -> None:
    """An attempt that nobody recorded is cleared away while its supervisor solves another."""
    place = SampleDirectory(tmp_path / "s")
    with SolverWorkers(awkward()) as workers:
        directory = place.next_attempt()
        workers.run(SAMPLE, directory, timeout_seconds=60)
        (directory / "outcome.json").unlink()
        supervisor = workers._all[0]._process.pid
        label_one(RECORD, place.path, workers, POLICY)
        assert workers._all[0]._process.pid == supervisor
        assert started_at(supervisor) is not None


def test_a_lease_outlives_a_failure(tmp_path: Path) -> None:
    with (
        SolverWorkers(awkward(needed=1)) as workers,
        pytest.raises(SolverError),
    ):
        label_one(RECORD, tmp_path / "s", workers, POLICY)
    lease = Lease.read(tmp_path / "s" / "attempt-01")
    assert lease is not None
    assert not lease.is_held
    publish_json(tmp_path / "lease.json", asdict(lease))
    assert Lease.read(tmp_path) == lease
