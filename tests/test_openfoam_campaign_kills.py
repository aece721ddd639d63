"""A campaign on real OpenFOAM runs that is killed goes on: each sample has one success."""

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
import yaml
from campaign_examples import WAVE, command, environment, outcome_of, solved_attempts
from openfoam_cases import cavity
from process_table import (
    descendants_of,
    none_runs,
    parent_of,
    place_of,
    processes_of,
    running,
    wait_until,
)
from solve_callers import kill

from phases.campaign import Campaign
from phases.overview import all_records
from pools.outcome import Outcome
from pools.record import SampleRecord
from pools.training import TrainingPool

pytestmark = [pytest.mark.slow, pytest.mark.openfoam]

CELLS = {1: 40, 2: 24}
"""Cells each way by ranks, so that a run takes about a second."""
Flow = subprocess.Popen[bytes]


@dataclass(frozen=True)
class Setup:
    """A campaign, not yet begun.

    Attributes:
        file: its campaign file.
        api: the Prefect server.
        ranks: of its solver.
    """

    file: Path
    api: str
    ranks: int

    def start(self, directory: Path) -> Flow:
        """Start or resume it in a process of its own."""
        return subprocess.Popen(
            command("run", self.file, "--directory", directory),
            env=environment(self.api),
            start_new_session=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )


@pytest.fixture(scope="module", params=[1, 2], ids=["serial", "2 ranks"])
def setup(
    request: pytest.FixtureRequest, prefect_api: str, tmp_path_factory: pytest.TempPathFactory
) -> Setup:
    ranks: int = request.param
    solver = cavity(cells=CELLS[ranks]).model_copy(update={"ranks": ranks})
    content = {
        **WAVE,
        "name": "killed",
        "parameters": {
            "reynolds": {"low": 60, "high": 200},
            "aspect": {"low": 0.8, "high": 1.2},
        },
        "solver": solver.model_dump(mode="json"),
        "initial_samples": 4,
        "samples_per_step": 2,
        "test_samples": 2,
        "runner": {
            "kind": "threads",
            "oversubscribe": True,
        },  # two samples of two ranks, on any machine
        "stopping": {"max_steps": 1},
    }
    file = tmp_path_factory.mktemp("setup") / "killed.yaml"
    file.write_text(yaml.safe_dump(content))
    return Setup(file, prefect_api, ranks)


@dataclass(frozen=True)
class Healed:
    """A campaign whose solvers and supervisors were killed while it ran on.

    Attributes:
        directory: where it is.
        killed: samples of which a process was killed, and why that attempt failed.
    """

    directory: Path
    killed: dict[str, str]


@pytest.fixture(scope="module")
def healed(setup: Setup, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Healed]:
    directory = tmp_path_factory.mktemp("healed") / "campaign"
    flow, killed = setup.start(directory), {}
    try:
        solver = a_solver(flow, directory, setup.ranks, set())
        killed[sample_of(solver)] = "simpleFoam was killed from outside (SIGKILL)"
        kill_below(directory, solver, solver)
        solver, supervisor = a_watched_solver(flow, directory, setup.ranks, set(killed))
        killed[sample_of(solver)] = "interrupted"
        kill_below(directory, solver, supervisor)
        assert flow.wait(timeout=240) == 0
        yield Healed(directory, killed)
    finally:
        kill_left(flow, directory)


def a_solver(flow: Flow, directory: Path, ranks: int, besides: set[str]) -> int:
    """Return a solver that iterates, the last rank of it, of a sample that is not one of these."""
    found: list[int] = []

    def is_there() -> bool:
        assert flow.poll() is None, "it ended before"
        for place in directory.glob("samples/*/attempt-*"):
            ranked = running("simpleFoam", place)
            iterates = len(ranked) == ranks and "Time = 5\n" in log_of(place)
            if iterates and place.parent.name not in besides:
                found.append(ranked[-1])
        return bool(found)

    wait_until(is_there, seconds=120)
    return found[0]


def log_of(place: Path) -> str:
    file = place / "log.simpleFoam"
    return file.read_text() if file.exists() else ""


def sample_of(solver: int) -> str:
    return place_of(solver).parent.name


def supervisor_of(flow: Flow, process: int) -> int | None:
    """Return the child of the flow's process from which this one descends; None if it is gone."""
    try:
        while (parent := parent_of(process)) != flow.pid:
            if parent == 0:
                return None
            process = parent
    except OSError:
        return None
    return process


def a_watched_solver(
    flow: Flow, directory: Path, ranks: int, besides: set[str]
) -> tuple[int, int]:
    """Return a solver that iterates and its supervisor; one that ends meanwhile is passed over."""
    while True:
        solver = a_solver(flow, directory, ranks, besides)
        if (supervisor := supervisor_of(flow, solver)) is not None:
            return solver, supervisor


def kill_below(directory: Path, solver: int, *victims: int) -> None:
    """Kill these, and see that nothing of the solver's attempt is left."""
    place = place_of(solver)
    assert place.is_relative_to(directory)
    kill(*victims)
    wait_until(lambda: not processes_of(place), seconds=5)


def kill_left(flow: Flow, directory: Path) -> None:
    """End what a failing test leaves running."""
    flow.kill()
    flow.wait()
    if left := processes_of(directory):
        kill(*left)


def records_of(directory: Path) -> list[SampleRecord]:
    return all_records(Campaign.open(directory))


def assert_all_is_there(directory: Path) -> None:
    """See that each sample was solved once and is in the pool, or the test set, once."""
    campaign = Campaign.open(directory)
    records = all_records(campaign)
    assert len(records) == 8
    assert {record.outcome for record in records} == {Outcome.OK}
    assert set(solved_attempts(directory).values()) == {1}
    for record in records:
        *failed, solved = record.attempts
        assert {attempt.outcome for attempt in failed} <= {Outcome.INFRASTRUCTURE}
        assert solved.outcome is Outcome.OK
        assert len({attempt.directory for attempt in record.attempts}) == len(record.attempts)
    with (
        TrainingPool(campaign.shards()) as pool,
        TrainingPool(sorted(directory.glob("test/*.h5"))) as test,
    ):
        ids = sorted([*pool.ids, *test.ids])
    assert ids == sorted(record.pick.sample.id for record in records)
    assert not processes_of(directory)


def test_what_is_killed_below_a_campaign_is_tried_again(healed: Healed) -> None:
    assert_all_is_there(healed.directory)
    records = {record.pick.sample.id: record for record in records_of(healed.directory)}
    for sample, reason in healed.killed.items():
        cut, *_ = records[sample].attempts
        assert cut.outcome is Outcome.INFRASTRUCTURE
        assert cut.reason.startswith(reason)


def test_a_killed_campaign_ends_as_one_that_ran_through(
    setup: Setup, healed: Healed, tmp_path: Path
) -> None:
    """Its process is killed, alone or with a supervisor: with MPI once, to save time."""
    directory = tmp_path / "campaign"
    rounds = (False, True) if setup.ranks == 1 else (True,)
    for with_supervisor in rounds:
        flow = setup.start(directory)
        try:
            _, supervisor = a_watched_solver(flow, directory, setup.ranks, set())
            others = descendants_of(flow.pid)
            kill(flow.pid, *([supervisor] if with_supervisor else []))
            wait_until(lambda: not processes_of(directory), seconds=5)
            wait_until(partial(none_runs, others), seconds=5)
        finally:
            kill_left(flow, directory)
    flow = setup.start(directory)
    try:
        assert flow.wait(timeout=240) == 0
    finally:
        kill_left(flow, directory)
    assert_all_is_there(directory)
    cut = [a for record in records_of(directory) for a in record.attempts[:-1]]
    assert len(cut) >= len(rounds)
    assert all(attempt.reason.startswith("interrupted") for attempt in cut)
    assert outcome_of(directory) == outcome_of(healed.directory)
