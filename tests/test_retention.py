"""What stays of attempts, and that nothing else is ever deleted."""

import logging
from dataclasses import replace
from pathlib import Path

import pytest
from solve_callers import RECORD, awkward

from pools.errors import SolverError
from pools.outcome import Outcome
from pools.record import Attempt, SampleDirectory, SampleRecord
from solvers.label import Neighbour, label_one, recover_record
from solvers.policy import LabelPolicy
from solvers.recovery import Rung
from solvers.retention import Keep, prune
from solvers.workers import SolverWorkers

RECORDS = {"lease.json", "outcome.json", "try.json"}
UP = Rung(name="up", set={"options.level": 1})


def policy(keep: Keep) -> LabelPolicy:
    return LabelPolicy(timeout_seconds=60, keep=keep, recovery=(UP,))


def label(directory: Path, keep: Keep, needed: int = 1) -> SampleRecord:
    """Label a sample that fails once for each level that it needs."""
    with SolverWorkers(awkward(level=0, needed=needed)) as workers:
        return label_one(RECORD, directory, workers, policy(keep))


def names(directory: Path) -> set[str]:
    return {path.name for path in directory.iterdir()}


@pytest.mark.parametrize(
    ("keep", "failed", "solved"),
    [
        ("all", {"case", "log.txt"}, {"case", "log.txt"}),
        ("failed", {"case", "log.txt"}, set()),
        ("solution", set(), set()),
    ],
)
def test_what_stays(tmp_path: Path, keep: Keep, failed: set[str], solved: set[str]) -> None:
    place = SampleDirectory(tmp_path / "s")
    record = label(place.path, keep)
    assert place.is_solved(record)
    first, second = place.attempts()
    assert names(first) == RECORDS | failed
    assert names(second) == RECORDS | solved


def test_a_sample_that_failed_keeps_everything(tmp_path: Path) -> None:
    with pytest.raises(SolverError):
        label(tmp_path / "s", "solution", needed=2)
    for attempt in SampleDirectory(tmp_path / "s").attempts():
        assert names(attempt) == RECORDS | {"case", "log.txt"}


def test_the_record_is_written_anew_from_what_stayed(tmp_path: Path) -> None:
    place = SampleDirectory(tmp_path / "s")
    before = label(place.path, "solution")
    (place.path / "sample.json").unlink()
    again = recover_record(RECORD, place.path)
    assert again.solution == before.solution
    assert [(a.outcome, a.rung, a.changes, a.reason) for a in again.attempts] == [
        (a.outcome, a.rung, a.changes, a.reason) for a in before.attempts
    ]


def test_a_kill_in_the_middle_is_made_up_for(tmp_path: Path) -> None:
    place = SampleDirectory(tmp_path / "s")
    label(place.path, "all")
    (place.path / "attempt-01" / "case" / "0" / "u").unlink()
    label(place.path, "solution")
    assert all(names(attempt) == RECORDS for attempt in place.attempts())


def test_a_solution_lost_afterwards_is_solved_anew(tmp_path: Path) -> None:
    place = SampleDirectory(tmp_path / "s")
    label(place.path, "solution")
    place.solution.unlink()
    record = label(place.path, "solution")
    assert place.is_solved(record)
    assert record.attempts[-1].rung == "up"


def test_a_pruned_sample_can_be_started_from(tmp_path: Path) -> None:
    label(tmp_path / "n", "solution")
    neighbour = Neighbour(replace(RECORD.pick.sample, id="other"), tmp_path / "n")
    nearest = LabelPolicy(recovery=(Rung(name="nearest", start="nearest"),))
    with SolverWorkers(awkward(needed=1)) as workers:
        record = label_one(RECORD, tmp_path / "s", workers, nearest, neighbours=[neighbour])
    assert record.outcome is Outcome.OK
    assert record.attempts[-1].start == "other"


def test_links_inside_an_attempt_go_but_not_what_they_lead_to(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "data").write_text("mine")
    place = SampleDirectory(tmp_path / "s")
    record = label(place.path, "all")
    (place.path / "attempt-02" / "link").symlink_to(precious)
    (place.path / "attempt-02" / "case" / "link").symlink_to(precious)
    (place.path / "attempt-02" / "data").symlink_to(precious / "data")
    prune(place.path, record, "solution")
    assert (precious / "data").read_text() == "mine"
    assert names(place.path / "attempt-02") == RECORDS


@pytest.mark.parametrize("linked", ["sample", "attempt"])
def test_a_link_in_place_of_a_directory_is_refused(
    tmp_path: Path, linked: str, caplog: pytest.LogCaptureFixture
) -> None:
    place = SampleDirectory(tmp_path / "s")
    record = label(place.path, "all")
    link = place.path if linked == "sample" else place.path / "attempt-02"
    moved = link.rename(tmp_path / "elsewhere")
    link.symlink_to(moved)
    with caplog.at_level(logging.WARNING):
        prune(place.path, record, "failed")
    assert "not all could be deleted" in caplog.text
    assert (place.path / "attempt-02" / "case" / "0" / "u").exists()


@pytest.mark.parametrize("name", ["..", "../precious", ".", "precious", "attempt-01/../.."])
def test_a_record_that_names_other_places_deletes_nothing(tmp_path: Path, name: str) -> None:
    for precious in (tmp_path / "precious", tmp_path / "s" / "precious"):
        precious.mkdir(parents=True)
        (precious / "data").write_text("mine")
    (tmp_path / "s" / "attempt-01").mkdir()
    attempts = (Attempt(name, Outcome.OK),)
    prune(tmp_path / "s", replace(RECORD, attempts=attempts, solution="digest"), "solution")
    assert len(list(tmp_path.rglob("data"))) == 2
