"""How a sample's tries are told."""

from pathlib import Path

import pytest
from plain_campaigns import start

from phases.campaign import Campaign
from phases.tries import tries_of
from pools.outcome import Outcome
from pools.pick import Pick
from pools.record import Attempt, SampleRecord
from pools.sample import Sample
from pools.solution import Cost
from solvers.recovery import BY_HAND, Try

DIVERGED = Attempt("attempt-01", Outcome.DIVERGED, cost=Cost(wall_seconds=2.0), exit_code=0)
RECORD = SampleRecord(Pick(Sample("0" * 16, {}), "sobol"), step=0)


@pytest.fixture
def campaign(tmp_path: Path) -> Campaign:
    return start(tmp_path / "wave")


def told(campaign: Campaign, *attempts: Attempt) -> list[str]:
    record = SampleRecord(RECORD.pick, 0, attempts)
    return tries_of(campaign, record)


def test_a_rung_is_told_with_what_it_changed_and_where_it_began(campaign: Campaign) -> None:
    rung = Attempt(
        "attempt-02",
        Outcome.NOT_CONVERGED,
        exit_code=0,
        rung="slower",
        changes={"seconds": 0.1},
        start="a" * 16,
    )
    assert told(campaign, DIVERGED, rung) == [
        "attempt-01 as declared: diverged after 2.0 s",
        f"attempt-02 slower, seconds=0.1, from sample {'a' * 16}: not converged after 0.0 s",
    ]


def test_an_interrupted_try_is_told_from_a_fault_of_the_machine(campaign: Campaign) -> None:
    broken = Attempt("attempt-01", Outcome.INFRASTRUCTURE, exit_code=-9)
    cut = Attempt("attempt-02", Outcome.INFRASTRUCTURE)
    assert told(campaign, broken, cut) == [
        "attempt-01 as declared: infrastructure after 0.0 s",
        "attempt-02 as declared: interrupted",
    ]


def test_a_try_that_nobody_recorded_is_told_too(campaign: Campaign) -> None:
    directory = campaign.sample_directory(RECORD.pick.sample.id).path / "attempt-02"
    directory.mkdir(parents=True)
    Try(BY_HAND, {"seconds": 0.1}).write(directory)
    assert told(campaign, DIVERGED)[1:] == [
        "attempt-02 by hand, seconds=0.1: interrupted, or still running"
    ]
