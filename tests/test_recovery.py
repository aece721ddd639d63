"""A sample that failed climbs the ladder: what is tried next, and what is recorded of it."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from pools.errors import SolverError, UsageError
from pools.outcome import Outcome
from pools.pick import Pick
from pools.record import Attempt, SampleDirectory, SampleRecord
from pools.sample import Sample
from pools.vtkhdf import read_solution
from solvers.build import build
from solvers.label import ByHand, Neighbour, label_one
from solvers.policy import LabelPolicy
from solvers.recovery import BY_HAND, Next, Rung, Try, next_try
from solvers.settings import ChannelSettings, CustomSettings
from solvers.workers import SolverWorkers

DIVERGED, MESH, TIMEOUT = Outcome.DIVERGED, Outcome.MESH, Outcome.TIMEOUT
BROKEN = Outcome.INFRASTRUCTURE
LOWER = Rung(name="lower", set={"u": 0.5})
NEAREST = Rung(name="nearest", start="nearest")
LAST = Rung(name="last", on=(DIVERGED, TIMEOUT), set={"u": 0.1}, low_fidelity=True)
LADDER = (LOWER, NEAREST, LAST)
AT_LAST = Try("last", {"u": 0.1}, low_fidelity=True)
RECORD = SampleRecord(Pick(Sample.of({"x": 0.3}, "awkward"), "test"), step=0)


def after(*attempts: Attempt) -> SampleRecord:
    return replace(RECORD, attempts=attempts)


def tried(outcome: Outcome, rung: str = "", start: str = "", **changes: Any) -> Attempt:
    return Attempt("attempt-01", outcome, rung=rung, start=start, changes=changes)


def test_the_first_try_is_as_declared() -> None:
    assert next_try(RECORD, LADDER) == Next(Try())


@pytest.mark.parametrize(
    ("attempts", "starts", "expected"),
    [
        ([tried(DIVERGED)], ["a"], Try("lower", {"u": 0.5})),
        ([tried(DIVERGED), tried(DIVERGED, "lower")], ["a", "b"], Try("nearest", {}, "a")),
        ([tried(DIVERGED), tried(MESH, "nearest")], ["a"], AT_LAST),
        ([tried(TIMEOUT)], [], AT_LAST),
        ([tried(DIVERGED), tried(TIMEOUT, "lower")], ["a"], Try("nearest", {}, "a")),
        ([tried(MESH)], ["a"], None),
        ([tried(DIVERGED), tried(DIVERGED, "last")], ["a"], None),
        # an infrastructure fault uses up nothing
        ([tried(BROKEN)], ["a"], Try()),
        ([tried(DIVERGED), tried(BROKEN, "lower", u=0.5)], [], Try("lower", {"u": 0.5})),
        ([tried(DIVERGED), tried(BROKEN, "nearest", "b")], ["a", "b"], Try("nearest", {}, "b")),
        ([tried(DIVERGED), tried(BROKEN, "nearest", "b")], ["a"], Try("nearest", {}, "a")),
        ([tried(DIVERGED), tried(BROKEN, "last", u=0.1)], [], AT_LAST),
        # a solution that was lost is solved again in the same way
        ([tried(DIVERGED), tried(Outcome.OK, "lower", u=0.5)], [], Try("lower", {"u": 0.5})),
        # what a person changed stays below the rungs
        ([tried(DIVERGED, BY_HAND, v=2)], [], Try("lower", {"v": 2, "u": 0.5})),
        (
            [tried(DIVERGED, BY_HAND, u=2), tried(DIVERGED, "lower", u=0.5)],
            ["a"],
            Try("nearest", {"u": 2}, "a"),
        ),
        # a rung that is no longer there
        ([tried(DIVERGED), tried(DIVERGED, "gone")], [], Try("lower", {"u": 0.5})),
    ],
)
def test_the_record_says_what_comes_next(
    attempts: list[Attempt], starts: list[str], expected: Try | None
) -> None:
    assert next_try(after(*attempts), LADDER, starts=starts).tried == expected


def test_a_rung_without_a_start_is_skipped_in_words() -> None:
    upcoming = next_try(after(tried(DIVERGED), tried(DIVERGED, "lower")), LADDER)
    assert upcoming.tried == AT_LAST
    assert upcoming.skipped == "'nearest' was not tried: no sample of an earlier step is solved"
    assert next_try(after(tried(DIVERGED)), [NEAREST]).tried is None


@pytest.mark.parametrize(
    ("attempts", "anew", "expected"),
    [
        ([tried(DIVERGED), tried(DIVERGED, "last")], {}, Try()),
        ([tried(DIVERGED), tried(DIVERGED, "last")], {"u": 0.3}, Try(BY_HAND, {"u": 0.3})),
        # called again after an infrastructure fault, it goes on where it was
        ([tried(BROKEN, BY_HAND, u=0.3)], {"u": 0.3}, Try(BY_HAND, {"u": 0.3})),
        (
            [tried(DIVERGED, BY_HAND, v=1), tried(BROKEN, "lower", v=1, u=0.5)],
            {"v": 1},
            Try("lower", {"v": 1, "u": 0.5}),
        ),
        ([tried(BROKEN, "lower", u=0.5)], {"u": 0.3}, Try(BY_HAND, {"u": 0.3})),
        ([], {"u": 0.3}, Try(BY_HAND, {"u": 0.3})),
    ],
)
def test_a_person_may_begin_anew(attempts: list[Attempt], anew: Any, expected: Try) -> None:
    assert next_try(after(*attempts), LADDER, anew=anew).tried == expected


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"name": "none"}, "changes nothing"),
        ({"name": "by hand", "set": {"u": 1}}, "is for tries of a person"),
        ({"name": "x", "set": {"u": 1}, "on": ["infrastructure"]}, "see label.retries"),
        ({"name": "x", "set": {"u": 1}, "on": ["ok", "mesh"]}, "is tried on ok"),
        ({"name": "x", "set": {"u": 1}, "on": []}, "at least 1 item"),
        ({"name": "x", "set": {"u": [1]}}, "set.u"),
    ],
)
def test_a_rung_that_makes_no_sense_is_refused(content: Any, said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Rung.model_validate(content)


def test_rungs_have_names_of_their_own() -> None:
    with pytest.raises(ValidationError, match="more than one rung named 'lower'"):
        LabelPolicy(recovery=(LOWER, LOWER))


def awkward(**options: Any) -> CustomSettings:
    declared = {"level": 0, "needed": 0, "cells": 1, "takes_starts": True, "kind": ""}
    return CustomSettings(factory="awkward_solver:Awkward", options={**declared, **options})


def level(number: int, **more: Any) -> Rung:
    content = {"name": f"level {number}", "set": {"options.level": number}}
    return Rung.model_validate({**content, **more})


def policy(*rungs: Rung) -> LabelPolicy:
    return LabelPolicy(timeout_seconds=60, grace_seconds=1, recovery=rungs)


def solved_neighbour(directory: Path) -> Neighbour:
    """Solve another sample to start from."""
    sample = Sample.of({"x": 0.4}, "awkward")
    with SolverWorkers(awkward()) as workers:
        label_one(replace(RECORD, pick=Pick(sample, "test")), directory, workers, policy())
    return Neighbour(sample, directory)


def test_each_rung_has_an_attempt_of_its_own(tmp_path: Path) -> None:
    with SolverWorkers(awkward(needed=2)) as workers:
        ladder = policy(level(1), level(2), level(3))
        record = label_one(RECORD, tmp_path / "s", workers, ladder)
    assert record.outcome is Outcome.OK
    assert [attempt.rung for attempt in record.attempts] == ["", "level 1", "level 2"]
    assert [attempt.changes for attempt in record.attempts] == [
        {},
        {"options.level": 1},
        {"options.level": 2},
    ]
    assert record.attempts[1].reason == "level 1 is not enough"
    assert record == SampleDirectory(tmp_path / "s").read()
    solution = read_solution(tmp_path / "s" / "solution.vtkhdf")
    assert solution.provenance["recovery"]["rung"] == "level 2"
    assert solution.grade == solution.remark == ""
    assert solution.sample == RECORD.pick.sample


def test_the_judgement_and_what_it_rests_on_are_recorded(tmp_path: Path) -> None:
    with SolverWorkers(awkward(needed=1)) as workers, pytest.raises(SolverError) as caught:
        label_one(RECORD, tmp_path / "s", workers, policy())
    evidence = {"residual": "nan", "levels": [0, 1], "grade": "rejected"}
    assert caught.value.evidence == evidence
    record = SampleDirectory(tmp_path / "s").read()
    assert record is not None
    assert record.attempts[0].evidence == evidence
    assert record.attempts[0].grade == "rejected"


def test_a_marginal_answer_says_so(tmp_path: Path) -> None:
    with SolverWorkers(awkward(kind="marginal")) as workers:
        record = label_one(RECORD, tmp_path / "s", workers, policy())
    assert (record.attempts[0].grade, record.attempts[0].reason) == ("marginal", "drifts a little")
    solution = read_solution(tmp_path / "s" / "solution.vtkhdf")
    assert (solution.grade, solution.remark) == ("marginal", "drifts a little")


def test_an_answer_of_low_fidelity_is_marginal(tmp_path: Path) -> None:
    with SolverWorkers(awkward(needed=1)) as workers:
        record = label_one(RECORD, tmp_path / "s", workers, policy(level(1, low_fidelity=True)))
    solution = read_solution(tmp_path / "s" / "solution.vtkhdf")
    for one in (record.attempts[-1].reason, solution.remark):
        assert one == "of low fidelity: solved with the rung 'level 1', {'options.level': 1}"
    assert solution.grade == record.attempts[-1].grade == "marginal"
    assert solution.provenance["recovery"]["low_fidelity"] is True


def test_a_rung_starts_from_the_nearest(tmp_path: Path) -> None:
    neighbour = solved_neighbour(tmp_path / "n")
    lost = Neighbour(Sample.of({"x": 0.31}, "awkward"), tmp_path / "lost")
    with SolverWorkers(awkward(needed=1)) as workers:
        record = label_one(
            RECORD, tmp_path / "s", workers, policy(NEAREST), neighbours=[lost, neighbour]
        )
    assert record.attempts[-1].start == neighbour.sample.id
    case = (tmp_path / "s" / "attempt-02" / "started-from.txt").read_text()
    assert case == str((tmp_path / "n" / "attempt-01").resolve())
    solution = read_solution(tmp_path / "s" / "solution.vtkhdf")
    assert solution.provenance["recovery"]["start"] == neighbour.sample.id


def test_a_start_that_does_not_fit_is_a_failure_like_others(tmp_path: Path) -> None:
    neighbour = solved_neighbour(tmp_path / "n")
    with SolverWorkers(awkward(needed=1, takes_starts=False)) as workers:
        record = label_one(
            RECORD, tmp_path / "s", workers, policy(NEAREST, level(1)), neighbours=[neighbour]
        )
    outcomes = [attempt.outcome for attempt in record.attempts]
    assert outcomes == [Outcome.NOT_CONVERGED, Outcome.MESH, Outcome.OK]
    assert "the initial solution is on another mesh" in record.attempts[1].reason


def test_the_skipped_rung_is_in_the_record(tmp_path: Path) -> None:
    for _ in range(2):
        with SolverWorkers(awkward(needed=1)) as workers, pytest.raises(SolverError) as caught:
            label_one(RECORD, tmp_path / "s", workers, policy(NEAREST))
        assert caught.value.reason == (
            "level 0 is not enough; 'nearest' was not tried: no sample of an earlier step is "
            "solved"
        )
    record = SampleDirectory(tmp_path / "s").read()
    assert record is not None
    assert len(record.attempts) == 1
    assert record.attempts[0].reason == caught.value.reason


def test_a_rung_that_changes_the_mesh_needs_resampling(tmp_path: Path) -> None:
    finer = Rung(name="finer", set={"options.cells": 2, "options.level": 1})
    with SolverWorkers(awkward(needed=1)) as workers, pytest.raises(SolverError) as caught:
        label_one(RECORD, tmp_path / "s", workers, policy(finer))
    assert caught.value.outcome is Outcome.BAD_OUTPUT
    assert "led to 6 mesh points, but the other samples have 4" in caught.value.reason


def test_a_killed_caller_goes_on_at_its_rung(tmp_path: Path) -> None:
    """The caller died while the second rung was tried, and once more before its solve began."""
    place = SampleDirectory(tmp_path / "s")
    ladder = policy(level(1), level(2))
    with SolverWorkers(awkward(needed=2)) as workers:
        whole = label_one(RECORD, place.path, workers, ladder)
        place.write(replace(whole, attempts=whole.attempts[:2], solution=None))
        (place.path / "solution.vtkhdf").unlink()
        (place.path / "attempt-03" / "outcome.json").unlink()
        again = label_one(RECORD, place.path, workers, ladder)
    rungs = [(attempt.rung, attempt.outcome) for attempt in again.attempts[2:]]
    assert rungs == [("level 2", BROKEN), ("level 2", Outcome.OK)]


def test_changed_by_hand_then_climbed(tmp_path: Path) -> None:
    with SolverWorkers(awkward(needed=3)) as workers:
        with pytest.raises(SolverError):
            label_one(RECORD, tmp_path / "s", workers, policy(level(1)))
        by_hand = ByHand({"options.level": 2, "options.needed": 3}, timeout_seconds=30)
        record = label_one(
            RECORD,
            tmp_path / "s",
            workers,
            policy(level(1), level(3)),
            retry_failed=True,
            by_hand=by_hand,
        )
    assert [a.rung for a in record.attempts] == ["", "level 1", BY_HAND, "level 1", "level 3"]
    assert record.attempts[-1].changes == {"options.level": 3, "options.needed": 3}
    assert record.outcome is Outcome.OK


def test_what_is_changed_by_hand_is_checked_before_anything_runs(tmp_path: Path) -> None:
    by_hand = ByHand({"options.levle": 2})
    with SolverWorkers(awkward()) as workers, pytest.raises(UsageError, match="did you mean"):
        label_one(RECORD, tmp_path / "s", workers, policy(), by_hand=by_hand)
    assert not (tmp_path / "s").exists()


def test_a_record_of_an_earlier_version_is_read(tmp_path: Path) -> None:
    place = SampleDirectory(tmp_path / "s")
    with SolverWorkers(awkward()) as workers:
        label_one(RECORD, place.path, workers, policy())
    file = place.path / "sample.json"
    content = json.loads(file.read_text())
    for name in ("rung", "changes", "start", "grade", "signal", "evidence"):
        del content["attempts"][0][name]
    file.write_text(json.dumps(content))
    record = place.read()
    assert record is not None
    assert record.attempts[0].rung == ""
    assert record.attempts[0].changes == {}


def test_continuation_recovers_a_channel(tmp_path: Path) -> None:
    settings = ChannelSettings(continuation=False)
    values = {"reynolds": 140.0, "semi_axis_a": 0.03, "semi_axis_b": 0.07}
    sample = Sample.of({**values, "angle": 0.0, "height": 0.2}, build(settings).fingerprint)
    ladder = policy(Rung(name="continuation", set={"continuation": True}))
    record = replace(RECORD, pick=Pick(sample, "test"))
    with SolverWorkers(settings) as workers:
        record = label_one(record, tmp_path / "s", workers, ladder)
    outcomes = [(attempt.rung, attempt.outcome) for attempt in record.attempts]
    assert outcomes == [("", Outcome.NOT_CONVERGED), ("continuation", Outcome.OK)]
    assert read_solution(tmp_path / "s" / "solution.vtkhdf").sample.id == sample.id
