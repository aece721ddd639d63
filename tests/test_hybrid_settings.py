"""What the hybrid makes of what a step knows."""

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError
from strategy_examples import SOLVER, SPACE, ExampleDriver, driver_with

from pools.candidates import CandidatePool
from pools.outcomes import Outcomes
from strategies.foretold import Foretold
from strategies.hybrid_settings import HybridSettings, hybrid_at
from strategies.picking import run_queries
from strategies.settings import build_query


def foretold(count: int, *, rising: bool = True) -> list[Foretold]:
    errors = [0.1 + i if rising else 0.1 - i for i in range(count)]
    return [Foretold(str(i), 0, {"fields.u": e}, {}, float(i + 1)) for i, e in enumerate(errors)]


def tried(count: int = 40) -> Outcomes:
    """Samples that fail where x is above a half, and cost ten times as much where y is large."""
    rows = SPACE.sobol(count, 0)
    cost = np.where(SPACE.normalise(rows)[:, 1] > 0.5, 10.0, 1.0)
    return Outcomes(rows, rows[:, 0] < 0.5, cost)


@pytest.fixture
def driver(tmp_path: Path) -> ExampleDriver:
    pool = CandidatePool(SPACE.sobol(128, 1), SPACE.names, SOLVER)
    return replace(driver_with(tmp_path), unlabeled_pool=pool)


@pytest.mark.parametrize(("step", "beta"), [(0, 0.0), (1, 0.5), (9, 0.5)])
def test_a_schedule_goes_by_the_step(driver: ExampleDriver, step: int, beta: float) -> None:
    seen = replace(driver, active_learning_step_idx=step)
    assert hybrid_at(HybridSettings(beta="schedule"), seen).beta == beta


@pytest.mark.parametrize(("step", "least_chance"), [(0, 0.85), (2, 0.75), (5, 0.6), (50, 0.6)])
def test_the_floor_falls_as_the_edge_becomes_known(
    driver: ExampleDriver, step: int, least_chance: float
) -> None:
    seen = replace(driver, active_learning_step_idx=step)
    assert hybrid_at(HybridSettings(), seen).floor == pytest.approx(least_chance)
    assert hybrid_at(HybridSettings(floor=0.8), seen).floor == 0.8


def test_a_measured_exponent_waits_for_enough_samples(driver: ExampleDriver) -> None:
    settings = HybridSettings(beta="measured")
    seen = replace(driver, active_learning_step_idx=1, foretold=foretold(7))
    assert hybrid_at(settings, seen).beta == 0.5


@pytest.mark.parametrize(("rising", "beta"), [(True, 1.0), (False, 0.0)])
def test_a_measured_exponent_is_what_the_variance_has_earned(
    driver: ExampleDriver,
    rising: bool,  # noqa: FBT001 - a case
    beta: float,
) -> None:
    seen = replace(driver, foretold=foretold(8, rising=rising))
    assert hybrid_at(HybridSettings(beta="measured"), seen).beta == pytest.approx(beta)


def test_the_cost_is_cooled_by_the_budget(driver: ExampleDriver) -> None:
    for left in (1.0, 0.25, 0.0):
        made = hybrid_at(HybridSettings(cost="cooled"), replace(driver, budget_left=left))
        assert made.alpha == left
        assert (made.cost is None) == (left == 0.0)


def test_a_fixed_exponent_of_the_cost_needs_no_budget(driver: ExampleDriver) -> None:
    assert hybrid_at(HybridSettings(cost=0.5), driver).alpha == 0.5


def test_feasibility_may_be_left_out(driver: ExampleDriver) -> None:
    assert hybrid_at(HybridSettings(feasibility=False), driver).feasibility is None


def test_the_whole_pool_is_infinite(driver: ExampleDriver) -> None:
    assert math.isinf(hybrid_at(HybridSettings(shortlist="pool"), driver).shortlist)


def test_nothing_is_asked_where_the_solver_surely_fails(driver: ExampleDriver) -> None:
    seen = replace(driver, outcomes=tried())
    picks = run_queries([build_query(HybridSettings(), 8)], seen)
    assert len(picks) == 8
    assert max(pick.sample.parameters["x"] for pick in picks) < 0.6


def test_cheap_samples_come_first_while_the_budget_lasts(driver: ExampleDriver) -> None:
    def dear(left: float) -> float:
        seen = replace(driver, outcomes=tried(), budget_left=left)
        query = build_query(HybridSettings(feasibility=False, cost="cooled"), 16)
        rows = np.array([pick.sample.row(SPACE.names) for pick in run_queries([query], seen)])
        return float((SPACE.normalise(rows)[:, 1] > 0.5).mean())

    assert dear(1.0) < dear(0.0)


@pytest.mark.parametrize(
    "wrong",
    [
        {"beta": -1},
        {"beta": "often"},
        {"cost": "dear"},
        {"shortlist": 0.5},
        {"cost": -1},
        {"floor": 2},
    ],
)
def test_other_settings_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        HybridSettings(**wrong)
