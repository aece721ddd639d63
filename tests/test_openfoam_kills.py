"""Whoever is killed in the middle of an OpenFOAM run, nothing is left and nothing is lost."""

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from openfoam_cases import cavity, cavity_with
from process_table import descendants_of, none_runs, processes_of, running, wait_until
from solve_callers import guard_of, kill, solve_of, start_labelling, supervisor_of

from pools.outcome import Outcome
from pools.pick import Pick
from pools.record import Attempt, SampleDirectory, SampleRecord
from pools.sample import Sample
from solvers.label import label_one
from solvers.openfoam.settings import OpenFOAMSettings
from solvers.policy import LabelPolicy
from solvers.workers import SolverWorkers

pytestmark = [pytest.mark.slow, pytest.mark.openfoam]

RECORD = SampleRecord(Pick(Sample.of({"reynolds": 100.0, "aspect": 1.0}, "cavity"), "test"), 0)
ENDLESS: dict[str, Any] = {"cells": 40, "residual": 1e-20, "iterations": 100000}
Caller = subprocess.Popen[bytes]
Victims = Callable[[Caller, Path], list[int]]

KILLED = "simpleFoam was killed from outside (SIGKILL)"
SOLVE = "the solver's process was ended by SIGKILL"
INTERRUPTED = "interrupted"
SOLVERS: dict[str, tuple[int, Victims, str]] = {
    "the serial solver": (1, lambda _, place: running("simpleFoam", place), KILLED),
    "rank 0": (2, lambda _, place: running("simpleFoam", place)[:1], KILLED),
    "rank 1": (2, lambda _, place: running("simpleFoam", place)[1:], KILLED),
    "mpirun": (2, lambda _, place: running("mpirun", place), KILLED),
}
WATCHERS: dict[str, tuple[Victims, str]] = {
    "the solve": (lambda caller, _: [solve_of(caller)], SOLVE),
    "the supervisor": (lambda caller, _: [supervisor_of(caller)], INTERRUPTED),
    "the supervisor and its guard": (
        lambda caller, _: [guard_of(caller), supervisor_of(caller)],
        INTERRUPTED,
    ),
    "the caller": (lambda caller, _: [caller.pid], INTERRUPTED),
    "the caller and the supervisor": (
        lambda caller, _: [caller.pid, supervisor_of(caller)],
        INTERRUPTED,
    ),
    "all that watch": (
        lambda caller, _: [caller.pid, supervisor_of(caller), guard_of(caller)],
        INTERRUPTED,
    ),
}
CASES = {
    **SOLVERS,
    **{
        f"{name}, {ranks} ranks": (ranks, victims, reason)
        for name, (victims, reason) in WATCHERS.items()
        for ranks in (1, 2)
    },
}


def on_ranks(settings: OpenFOAMSettings, ranks: int) -> OpenFOAMSettings:
    return settings.model_copy(update={"ranks": ranks})


@pytest.fixture(scope="module")
def workers() -> Iterator[dict[int, SolverWorkers]]:
    """Yield warm workers for runs that end soon, by the number of ranks."""
    quick = cavity(cells=12)
    with SolverWorkers(quick, 1) as serial, SolverWorkers(on_ranks(quick, 2), 1) as mpi:
        yield {1: serial, 2: mpi}


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    """Yield the sample's directory; what a failing test leaves running there is ended."""
    yield tmp_path / "s"
    for process in processes_of(tmp_path):
        os.kill(process, signal.SIGKILL)


def started(settings: OpenFOAMSettings, place: Path) -> Caller:
    """Return a process that labels and whose solver iterates, all ranks of it."""
    caller = start_labelling(settings, RECORD, place)
    log = place / "attempt-01" / "log.simpleFoam"
    wait_until(lambda: log.exists() and "Time = 5\n" in log.read_text(), seconds=60)
    assert len(running("simpleFoam", place)) == settings.ranks
    return caller


def first_attempt(directory: Path) -> Attempt:
    record = SampleDirectory(directory).read()
    assert record is not None
    return record.attempts[0]


@pytest.mark.parametrize("case", CASES)
def test_a_killed_run_leaves_nothing_and_is_solved_elsewhere(
    case: str, workers: dict[int, SolverWorkers], place: Path
) -> None:
    ranks, victims, reason = CASES[case]
    caller = started(on_ranks(cavity(**ENDLESS), ranks), place)
    others = descendants_of(caller.pid)
    assert set(processes_of(place)) <= set(others)
    kill(*victims(caller, place))
    wait_until(lambda: not processes_of(place), seconds=5)
    assert caller.wait(timeout=10) != 0
    wait_until(lambda: none_runs(others), seconds=5)

    record = label_one(RECORD, place, workers[ranks], LabelPolicy())
    cut, solved = record.attempts
    assert cut.outcome is Outcome.INFRASTRUCTURE
    assert cut.reason.startswith(reason)
    assert solved.outcome is Outcome.OK
    assert (cut.directory, solved.directory) == ("attempt-01", "attempt-02")
    again = label_one(RECORD, place, workers[ranks], LabelPolicy())
    assert again == record, "it was solved twice"


@pytest.mark.parametrize("rank", [0, 1])
def test_a_rank_that_stands_still_is_noticed(rank: int, place: Path) -> None:
    """The others wait for it, as busy as ever: only the log tells."""
    endless = on_ranks(cavity_with({"heartbeat_seconds": 4}, **ENDLESS), 2)
    caller = started(endless, place)
    others = descendants_of(caller.pid)
    os.kill(running("simpleFoam", place)[rank], signal.SIGSTOP)
    assert caller.wait(timeout=30) != 0
    wait_until(lambda: not processes_of(place), seconds=5)
    wait_until(lambda: none_runs(others), seconds=5)
    attempt = first_attempt(place)
    assert attempt.outcome is Outcome.TIMEOUT
    assert "stood still" in attempt.reason
