"""An answer of another kind, which changed settings bring, never reaches the pool."""

from pathlib import Path

import pytest
from plain_campaigns import prepare, start

from phases.append import solution_name
from phases.campaign import Campaign
from phases.fit import fitting, without_misfit
from phases.overview import all_records, failures
from phases.retry import append_retried, plan_retry
from pools.errors import SolverError
from pools.files import digest
from pools.outcome import Outcome
from pools.record import Attempt, SampleRecord
from pools.vtkhdf import read_solution, write_solution
from solvers.analytic import CLOSED_FORMS


@pytest.fixture
def campaign(tmp_path: Path) -> Campaign:
    campaign = start(
        tmp_path / "wave",
        solver={"kind": "analytic", "problem": "wave", "fails_above": 0.55},
        label={"min_success_fraction": 0.1},
    )
    prepare(campaign)
    return campaign


def solved_on_another_mesh(campaign: Campaign) -> SampleRecord:
    """Leave what a retry with changed settings would: a solution with fewer mesh points."""
    record = failures(campaign)[0]
    place = campaign.sample_directory(record.pick.sample.id)
    good = next(r for r in all_records(campaign) if r.outcome is Outcome.OK)
    answer = read_solution(campaign.directory / solution_name(good.pick))
    (place.path / "attempt-02").mkdir()
    mesh = CLOSED_FORMS["shock"].mesh()
    fields = {name: type(f)(mesh.points[:, 0], f.unit) for name, f in answer.fields.items()}
    other = type(answer)(record.pick.sample, mesh, fields, answer.quantities)
    write_solution(place.solution, other)
    attempt = Attempt("attempt-02", Outcome.OK, rung="by hand", changes={"cells": 32})
    solved = record.with_attempt(attempt, digest(place.solution))
    place.write(solved)
    return solved


def test_it_is_a_failure_with_the_reason(campaign: Campaign) -> None:
    with pytest.raises(SolverError, match=r"with \{'cells': 32\} the solver answered .*points="):
        fitting(campaign, solved_on_another_mesh(campaign))


def test_it_is_not_appended_and_stays_retryable(campaign: Campaign) -> None:
    record = solved_on_another_mesh(campaign)
    shards = campaign.shards()
    entry = append_retried(campaign)
    assert entry is not None
    assert entry.summary["appended"] == {}
    assert campaign.shards() == shards
    assert record.pick in [failed.pick for failed in plan_retry(campaign).records]
    place = campaign.sample_directory(record.pick.sample.id)
    now = place.read()
    assert now is not None
    assert (now.solution, now.attempts[-1].outcome) == (None, Outcome.BAD_OUTPUT)
    assert "resample the fields" in now.attempts[-1].reason
    assert (place.path / "attempt-02" / "solution.vtkhdf").is_file(), "the evidence is kept"
    assert not place.solution.exists()


def test_what_fits_is_left_alone(campaign: Campaign) -> None:
    good = next(r for r in all_records(campaign) if r.outcome is Outcome.OK)
    assert without_misfit(campaign, good) is good
