"""Campaigns whose parameters are constrained."""

from pathlib import Path

import numpy as np
import pytest
from plain_campaigns import files_of, run, start

from phases import asked
from phases.asked import initial_picks, queried_picks
from phases.campaign import Campaign
from phases.design import design_sequence
from phases.predict import predict
from phases.query import check_within
from phases.scope import candidates, design_before
from pools.errors import UsageError
from pools.pick import Pick
from pools.sample import Sample

CONSTRAINTS = ["length + phase < 1", "length > 0.2 * phase"]
QUERY = [{"kind": "sbal", "fraction": 0.5}, {"kind": "sobol", "fraction": 0.5}]


@pytest.fixture(scope="module")
def campaign(tmp_path_factory: pytest.TempPathFactory) -> Campaign:
    directory = tmp_path_factory.mktemp("constrained")
    constrained = start(directory, constraints=CONSTRAINTS, query=QUERY)
    run(constrained)
    return constrained


def rows_of(picks: list[Pick]) -> np.ndarray:
    return np.array([pick.sample.row(("length", "phase")) for pick in picks])


def test_everything_that_is_asked_meets_the_constraints(campaign: Campaign) -> None:
    queried = [pick for step in range(2) for pick in queried_picks(campaign, step)]
    rows = rows_of([*initial_picks(campaign), *asked.test_picks(campaign), *queried])
    assert len(rows) == 6 + 8 + 2 * 4
    assert campaign.config.domain.met(rows).all()
    assert (rows.sum(axis=1) < 1).all()


def test_the_pool_is_as_large_as_without_constraints(campaign: Campaign) -> None:
    pool = candidates(campaign, 0)
    assert len(pool) == 64
    assert campaign.config.domain.met(pool.parameters).all()


def test_the_sobol_share_goes_on_behind_the_initial_design(campaign: Campaign) -> None:
    queried = [pick for step in range(2) for pick in queried_picks(campaign, step)]
    sobol = [pick for pick in queried if pick.asked_by == "sobol"]
    sequence = rows_of([*initial_picks(campaign), *sobol])
    box = campaign.config.parameters.sobol(64, design_sequence(campaign, 0).seed)
    met = box[campaign.config.domain.met(box)]
    np.testing.assert_array_equal(sequence, met[: len(sequence)])
    assert design_before(campaign, 2).used == 6 + 4


def test_a_killed_campaign_ends_with_the_same_samples(campaign: Campaign, tmp_path: Path) -> None:
    changes = {"constraints": CONSTRAINTS, "query": QUERY}
    run(start(tmp_path, **changes, stopping={"max_steps": 1}))
    run(start(tmp_path, **changes, stopping={"max_steps": 2}))
    for step in ("000", "001"):
        file = f"steps/{step}/selection.json"
        assert files_of(tmp_path)[file] == files_of(campaign.directory)[file]


def test_other_constraints_are_refused_on_resume(campaign: Campaign) -> None:
    with pytest.raises(UsageError, match="constraints"):
        start(campaign.directory, constraints=CONSTRAINTS[:1], query=QUERY)


def test_prediction_beyond_the_constraints_is_refused(campaign: Campaign) -> None:
    assert predict(campaign, 0, {"length": 0.4, "phase": 0.4}).prediction.quantities
    with pytest.raises(UsageError, match=r"length \+ phase < 1: 1.2 < 1 is not so"):
        predict(campaign, 0, {"length": 0.6, "phase": 0.6})


def test_a_strategy_that_asks_beyond_the_constraints_is_named(campaign: Campaign) -> None:
    beyond = Pick(Sample.of({"length": 0.6, "phase": 0.6}, "s"), "mine")
    with pytest.raises(UsageError, match=r"the query mine asked for the sample .*not so; let it"):
        check_within([beyond], campaign.config.domain)
