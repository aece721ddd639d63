"""Filling a step with what its seconds pay for."""

from pathlib import Path

import numpy as np
import pytest
from plain_campaigns import prepare, start

from phases.asked import queried_picks
from phases.campaign import Campaign
from phases.check import check
from phases.label import records_of
from phases.query import query
from phases.scope import scope
from phases.train import train
from pools.pick import Pick
from pools.sample import Sample
from strategies.budget import affordable, budget_left, within
from strategies.stopping import StoppingSettings

FOUR = np.array([2.0, 1.0, 4.0, 1.0])


def picks_of(*names: str) -> list[Pick]:
    return [Pick(Sample(str(i), {"x": float(i)}), name) for i, name in enumerate(names)]


@pytest.mark.parametrize(
    ("budget", "count"), [(0.1, 1), (2.0, 1), (2.9, 1), (3.0, 2), (6.9, 2), (7.0, 3), (99.0, 4)]
)
def test_as_many_as_fit_in_their_order_and_at_least_one(budget: float, count: int) -> None:
    assert affordable(FOUR, budget) == count


def test_nothing_was_chosen_so_nothing_is_affordable() -> None:
    assert affordable(np.empty(0), 5.0) == 0


def test_strategies_give_up_the_last_of_their_picks_in_proportion() -> None:
    picks = picks_of("sbal", "sbal", "sbal", "sbal", "sobol", "sobol")
    assert within(3.0, picks, np.ones(6)) == [0, 1, 4]
    assert within(99.0, picks, np.ones(6)) == [0, 1, 2, 3, 4, 5]


def test_a_dear_sample_ends_the_step() -> None:
    assert within(5.0, picks_of("a", "a", "a", "a"), FOUR) == [0, 1]


def test_the_budget_left_is_of_solver_seconds() -> None:
    both = StoppingSettings(budget_solver_seconds=100, budget_samples=40)
    assert budget_left(60.0, both) == pytest.approx(0.4)


def test_an_overspent_budget_leaves_nothing_and_none_does_not_count() -> None:
    assert budget_left(200.0, StoppingSettings(budget_solver_seconds=100)) == 0
    assert budget_left(60.0, StoppingSettings(budget_samples=40)) == 0


def test_a_step_knows_what_is_left_of_its_campaigns_budget(tmp_path: Path) -> None:
    stopping = {"max_steps": 2, "budget_solver_seconds": 1e6}
    campaign = trained(tmp_path / "wave", stopping=stopping)
    with scope(campaign, 0, "query") as seen:
        assert 0.99 < seen.budget_left < 1
        assert seen.foretold == []


def trained(directory: Path, **changes: object) -> Campaign:
    campaign = start(directory, initial_samples=10, **changes)
    prepare(campaign)
    train(campaign, 0)
    return campaign


def test_a_step_asks_for_what_its_seconds_pay_for(tmp_path: Path) -> None:
    whole = trained(tmp_path / "whole")
    query(whole, 0)
    assert len(queried_picks(whole, 0)) == 4
    cut = trained(tmp_path / "cut", step_seconds=1e-9)
    query(cut, 0)
    assert queried_picks(cut, 0) == queried_picks(whole, 0)[:1]
    cut.step_directory(0).joinpath("selection.json").unlink()
    found = {finding.file: finding.state for finding in check(cut)}
    assert found["steps/000/selection.json"] == "rebuilt"
    assert queried_picks(cut, 0) == queried_picks(whole, 0)[:1]


def test_the_seconds_that_a_step_may_take_are_those_of_earlier_samples(tmp_path: Path) -> None:
    campaign = trained(tmp_path / "wave", step_seconds=1000.0)
    query(campaign, 0)
    assert len(queried_picks(campaign, 0)) == 4
    assert records_of(campaign, queried_picks(campaign, 0)) == []
