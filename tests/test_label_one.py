"""One sample labelled: real processes, real kills."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from process_table import parent_of, processes_in, wait_until

from pools.errors import CampaignError, SolverError
from pools.files import digest
from pools.outcome import Outcome
from pools.pick import Pick
from pools.record import SampleDirectory, SampleRecord
from pools.sample import Sample
from pools.vtkhdf import read_solution
from solvers.build import build
from solvers.label import label_one
from solvers.policy import LabelPolicy
from solvers.recovery import Try
from solvers.settings import AnalyticSettings, CustomSettings
from solvers.workers import SolverWorkers

QUICK = AnalyticSettings(problem="wave")
FAILING = AnalyticSettings(problem="wave", fails_above=0.5)
SLOW = AnalyticSettings(problem="wave", seconds=30.0)
POLICY = LabelPolicy(timeout_seconds=60, grace_seconds=1)
FLAKY_RECORD = SampleRecord(Pick(Sample.of({"x": 0.3}, "flaky"), "test"), step=0)


def flaky(kind: str) -> CustomSettings:
    return CustomSettings(factory="flaky_solver:Flaky", options={"edge": 1.0, "kind": kind})


def record_at(first: float, settings: AnalyticSettings = QUICK) -> SampleRecord:
    solver = build(settings)
    values = dict.fromkeys(solver.parameters, 0.25)
    values[next(iter(values))] = first
    return SampleRecord(Pick(Sample.of(values, solver.fingerprint), "test"), step=0)


@pytest.fixture(scope="module")
def quick() -> Iterator[SolverWorkers]:
    with SolverWorkers(QUICK) as workers:
        yield workers


@pytest.fixture(scope="module")
def failing() -> Iterator[SolverWorkers]:
    with SolverWorkers(FAILING) as workers:
        yield workers


def test_a_sample_gets_its_solution(tmp_path: Path, quick: SolverWorkers) -> None:
    record = label_one(record_at(0.3), tmp_path / "s", quick, POLICY)
    place = SampleDirectory(tmp_path / "s")
    assert record.outcome is Outcome.OK
    assert record.solution == digest(place.solution)
    assert place.read() == record
    assert read_solution(place.solution).sample == record.pick.sample
    assert record.attempts[0].cost.peak_memory > 1e6
    assert 0 < record.seconds < 30


def test_a_solved_sample_is_not_solved_twice(tmp_path: Path, quick: SolverWorkers) -> None:
    first = label_one(record_at(0.3), tmp_path / "s", quick, POLICY)
    again = label_one(record_at(0.3), tmp_path / "s", quick, POLICY)
    assert again == first
    assert len(SampleDirectory(tmp_path / "s").attempts()) == 1


def test_a_damaged_solution_is_solved_anew(tmp_path: Path, quick: SolverWorkers) -> None:
    first = label_one(record_at(0.3), tmp_path / "s", quick, POLICY)
    SampleDirectory(tmp_path / "s").solution.write_bytes(b"damaged")
    again = label_one(record_at(0.3), tmp_path / "s", quick, POLICY)
    assert again.outcome is Outcome.OK
    assert len(again.attempts) == len(first.attempts) + 1


def test_a_failure_keeps_its_evidence(tmp_path: Path, failing: SolverWorkers) -> None:
    with pytest.raises(SolverError) as caught:
        label_one(record_at(0.9, FAILING), tmp_path / "s", failing, POLICY)
    assert caught.value.outcome is Outcome.DIVERGED
    assert caught.value.directory == tmp_path / "s" / "attempt-01"
    record = SampleDirectory(tmp_path / "s").read()
    assert record is not None
    assert record.outcome is Outcome.DIVERGED
    assert record.attempts[0].reason in str(caught.value)


def test_a_numerical_failure_is_repeated_only_when_asked(
    tmp_path: Path, failing: SolverWorkers
) -> None:
    sample = record_at(0.9, FAILING)
    place = SampleDirectory(tmp_path / "s")
    for retry_failed, attempts in [(False, 1), (False, 1), (True, 2)]:
        with pytest.raises(SolverError):
            label_one(sample, place.path, failing, POLICY, retry_failed=retry_failed)
        assert len(place.attempts()) == attempts


def test_a_deadline_ends_the_solver(tmp_path: Path) -> None:
    policy = LabelPolicy(timeout_seconds=0.5, grace_seconds=1)
    started = time.monotonic()
    with SolverWorkers(SLOW) as workers, pytest.raises(SolverError) as caught:
        label_one(record_at(0.3, SLOW), tmp_path / "s", workers, policy)
    assert caught.value.outcome is Outcome.TIMEOUT
    assert time.monotonic() - started < 15
    assert not processes_in(tmp_path)


@pytest.mark.parametrize("kind", ["hangs", "hangs_elsewhere"])
def test_a_deadline_ends_grandchildren_and_the_deaf(tmp_path: Path, kind: str) -> None:
    policy = LabelPolicy(timeout_seconds=1, grace_seconds=0.3)
    with SolverWorkers(flaky(kind)) as workers, pytest.raises(SolverError) as caught:
        label_one(FLAKY_RECORD, tmp_path / "s", workers, policy)
    assert caught.value.outcome is Outcome.TIMEOUT
    assert not processes_in(tmp_path)


def test_what_a_solve_leaves_running_is_ended(tmp_path: Path) -> None:
    with SolverWorkers(flaky("leaves")) as workers:
        record = label_one(FLAKY_RECORD, tmp_path / "s", workers, POLICY)
        assert record.outcome is Outcome.OK
        assert not processes_in(tmp_path)


def test_what_a_solver_started_when_it_was_built_lives_as_long_as_its_supervisor(
    tmp_path: Path,
) -> None:
    with SolverWorkers(flaky("served")) as workers:
        label_one(FLAKY_RECORD, tmp_path / "s", workers, POLICY)
        processes = workers._all[0]._processes
        assert len(processes.find()) == 3  # the supervisor, its guard, and that
    assert not processes.find()


def test_closing_does_not_wait_for_the_grace_of_the_deaf(tmp_path: Path) -> None:
    policy = LabelPolicy(timeout_seconds=0.5, grace_seconds=30)
    with SolverWorkers(flaky("hangs_elsewhere")) as workers:
        thread = threading.Thread(target=label_in_vain, args=(tmp_path / "s", workers, policy))
        thread.start()
        wait_until(lambda: len(processes_in(tmp_path)) == 2)
        time.sleep(1)  # the grace has begun
        started = time.monotonic()
    assert time.monotonic() - started < 3
    assert not processes_in(tmp_path)
    thread.join()


def test_the_supervisor_survives_a_deadline(tmp_path: Path) -> None:
    settings = AnalyticSettings(problem="wave", seconds=0.3)
    with SolverWorkers(settings) as workers:
        with pytest.raises(SolverError):
            label_one(
                record_at(0.1, settings),
                tmp_path / "a",
                workers,
                LabelPolicy(timeout_seconds=0.05, grace_seconds=0.5),
            )
        done = label_one(record_at(0.2, settings), tmp_path / "b", workers, POLICY)
    assert done.outcome is Outcome.OK


def test_two_callers_solve_once(tmp_path: Path, quick: SolverWorkers) -> None:
    results: list[SampleRecord] = []

    def call() -> None:
        results.append(label_one(record_at(0.7), tmp_path / "s", quick, POLICY))

    threads = [threading.Thread(target=call) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 4
    assert all(result == results[0] for result in results)
    assert len(SampleDirectory(tmp_path / "s").attempts()) == 1


def test_what_a_killed_caller_finished_counts(tmp_path: Path, quick: SolverWorkers) -> None:
    """The caller died after the solve, before it could publish and record it."""
    solved = label_one(record_at(0.3), tmp_path / "s", quick, POLICY)
    place = SampleDirectory(tmp_path / "s")
    place.solution.rename(place.path / "attempt-01" / "solution.vtkhdf")
    place.write(record_at(0.3))
    again = label_one(record_at(0.3), tmp_path / "s", quick, POLICY)
    assert again.solution == solved.solution
    assert len(place.attempts()) == 1


def test_what_a_killed_caller_published_counts(tmp_path: Path, quick: SolverWorkers) -> None:
    """The caller died between the rename and the record."""
    solved = label_one(record_at(0.3), tmp_path / "s", quick, POLICY)
    place = SampleDirectory(tmp_path / "s")
    place.write(record_at(0.3))
    again = label_one(record_at(0.3), tmp_path / "s", quick, POLICY)
    assert again.solution == solved.solution
    assert len(place.attempts()) == 1


def test_what_a_killed_caller_left_half_done_is_recorded(
    tmp_path: Path, quick: SolverWorkers
) -> None:
    place = SampleDirectory(tmp_path / "s")
    Try().write(place.next_attempt())
    record = label_one(record_at(0.3), place.path, quick, POLICY)
    assert [a.outcome for a in record.attempts] == [Outcome.INFRASTRUCTURE, Outcome.OK]
    assert "interrupted" in record.attempts[0].reason


def test_an_attempt_that_a_killed_caller_had_not_begun_is_none(
    tmp_path: Path, quick: SolverWorkers
) -> None:
    place = SampleDirectory(tmp_path / "s")
    (place.next_attempt() / ".try.json.1.tmp").touch()
    record = label_one(record_at(0.3), place.path, quick, POLICY)
    assert [a.outcome for a in record.attempts] == [Outcome.OK]


CALLER = """
import sys
from pathlib import Path
from test_label_one import POLICY, SLOW, record_at
from solvers.label import label_one
from solvers.workers import SolverWorkers
with SolverWorkers(SLOW) as workers:
    label_one(record_at(0.3, SLOW), Path(sys.argv[1]), workers, POLICY)
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_the_death_of_the_caller_ends_the_solver(tmp_path: Path, number: signal.Signals) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([".", "tests"])}
    command = [sys.executable, "-c", CALLER, str(tmp_path / "s")]
    caller = subprocess.Popen(
        command, env=environment, stderr=subprocess.DEVNULL, start_new_session=True
    )
    wait_until(lambda: len(processes_in(tmp_path)) > 0)
    caller.send_signal(number)
    caller.wait()
    wait_until(lambda: not processes_in(tmp_path), seconds=5)
    assert not (tmp_path / "s" / "attempt-01" / "outcome.json").exists()


@pytest.mark.parametrize("kind", ["hangs", "hangs_elsewhere"])
def test_the_death_of_the_supervisor_ends_the_solver_and_is_infrastructure(
    tmp_path: Path, kind: str
) -> None:
    errors: list[SolverError] = []

    def call(workers: SolverWorkers) -> None:
        errors.append(label_in_vain(tmp_path / "s", workers, POLICY))

    with SolverWorkers(flaky(kind)) as workers:
        thread = threading.Thread(target=call, args=(workers,))
        thread.start()
        wait_until(lambda: len(processes_in(tmp_path)) == 2)
        os.kill(parent_of(min(processes_in(tmp_path))), signal.SIGKILL)
        thread.join(timeout=10)
        wait_until(lambda: not processes_in(tmp_path), seconds=5)
    assert errors[0].outcome is Outcome.INFRASTRUCTURE


def test_what_a_solver_prints_when_it_is_built_is_no_answer(tmp_path: Path) -> None:
    with SolverWorkers(flaky("chatty")) as workers:
        assert label_one(FLAKY_RECORD, tmp_path / "s", workers, POLICY).outcome is Outcome.OK


def test_an_answer_that_is_none_is_a_lost_supervisor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "python"
    program.write_text("#!/bin/sh\necho hello\n")
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(program))
    with SolverWorkers(QUICK) as workers:
        error = label_in_vain(tmp_path / "s", workers, POLICY)
    assert error.outcome is Outcome.INFRASTRUCTURE


def test_what_a_solver_prints_is_evidence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)
    with SolverWorkers(flaky("raises")) as workers:
        error = label_in_vain(tmp_path / "s", workers, POLICY)
    assert error.log_tail.startswith("residual 1e9\n")


def test_a_solver_that_cannot_be_built_is_no_samples_fault(tmp_path: Path) -> None:
    with SolverWorkers(flaky("unusable")) as workers:
        for _ in range(2):
            with pytest.raises(
                CampaignError, match=r"(?s)unusable.*mesh file is missing.*correct"
            ):
                label_one(FLAKY_RECORD, tmp_path / "s", workers, POLICY)
        assert len(workers._all) == 1  # the second call did not try again
    record = SampleDirectory(tmp_path / "s").read()
    assert record is not None
    assert record.attempts == ()
    assert not SampleDirectory(tmp_path / "s").attempts()


def test_a_working_directory_holds_solvers_but_shadows_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "solvers").mkdir()
    (tmp_path / "solvers" / "__init__.py").write_text("raise RuntimeError('not this one')")
    (tmp_path / "my_solver.py").write_text("from flaky_solver import Flaky as Mine")
    monkeypatch.chdir(tmp_path)
    mine = CustomSettings(factory="my_solver:Mine", options={"edge": 0.0})
    with SolverWorkers(mine) as workers:
        record = label_one(FLAKY_RECORD, tmp_path / "s", workers, POLICY)
    assert record.outcome is Outcome.OK


def test_the_reply_says_what_the_solver_used(tmp_path: Path) -> None:
    settings = AnalyticSettings(problem="wave", seconds=0.2)
    with SolverWorkers(settings) as workers:
        record = label_one(record_at(0.3, settings), tmp_path / "s", workers, POLICY)
    verdict = json.loads((tmp_path / "s" / "attempt-01" / "outcome.json").read_text())
    assert 0.2 <= verdict["wall_seconds"] <= record.seconds
    assert record.attempts[0].cost.cpu_seconds < record.seconds


def label_in_vain(directory: Path, workers: SolverWorkers, policy: LabelPolicy) -> SolverError:
    """Return why a sample that cannot be solved has no solution."""
    with pytest.raises(SolverError) as caught:
        label_one(FLAKY_RECORD, directory, workers, policy)
    return caught.value
