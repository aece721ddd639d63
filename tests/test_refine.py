"""Chosen candidates that are moved to larger variance nearby."""

import math
import queue
from pathlib import Path

import numpy as np
import pytest
from strategy_examples import FeaturedExample, driver_with

from pools.domain import Domain
from pools.pick import Pick
from pools.space import ParameterSpace
from strategies.query import AcquisitionQuery
from strategies.refine import refined
from strategies.refined_query import RefinedQuery
from strategies.settings import (
    HybridSettings,
    QuerySettings,
    SbalSettings,
    TopKSettings,
    build_query,
)
from strategies.top_k import top_k

SPACE = ParameterSpace.model_validate(
    {
        "a": {"low": 0, "high": 1},
        "b": {"low": 1, "high": 100, "scale": "log"},
        "n": {"type": "integer", "low": 1, "high": 9},
    }
)
BOX = Domain(SPACE)
NOTHING = np.empty((0, 3))


def hill(rows: np.ndarray) -> np.ndarray:
    """Return a variance that is largest at a = 0.5, b = 10 and n = 9."""
    cube = SPACE.normalise(rows)
    return np.exp(-np.sum((cube - [0.5, 0.5, 1]) ** 2, axis=1))


HILL = FeaturedExample(variance=hill)
ALONG_A = FeaturedExample(variance=lambda rows: 0.1 + rows[:, 0])


def test_the_variance_of_every_point_rises() -> None:
    chosen = BOX.sobol(16, 1)
    moved = refined(chosen, NOTHING, HILL, BOX)
    assert (hill(moved) > hill(chosen)).all()
    assert hill(moved).mean() > 1.02 * hill(chosen).mean()


def test_a_point_near_the_top_reaches_it() -> None:
    moved = refined(np.array([[0.46, 12.0, 4]]), NOTHING, HILL, BOX)
    np.testing.assert_allclose(moved, [[0.5, 10, 4]], rtol=0.02)


def test_no_point_goes_farther_than_half_the_way_to_its_neighbour() -> None:
    chosen, known = BOX.sobol(32, 1), BOX.sobol(16, 2)
    before, after = SPACE.normalise(chosen), SPACE.normalise(refined(chosen, known, HILL, BOX))
    others = np.concatenate([before, SPACE.normalise(known)])
    distances = np.linalg.norm(before[:, None] - others, axis=-1)
    np.fill_diagonal(distances, np.inf)
    gone = np.linalg.norm(after - before, axis=1)
    assert (gone <= np.minimum(distances.min(axis=1) / 2, 0.1) + 1e-12).all()
    assert gone.max() > 0.01


def test_bounds_are_kept() -> None:
    chosen = np.array([[0.97, 100.0, 9], [0.99, 1.0, 1], [1.0, 50.0, 5]])
    moved = refined(chosen, NOTHING, ALONG_A, BOX)
    np.testing.assert_array_equal(moved[:, 0], 1.0)
    np.testing.assert_array_equal(moved[:, 1:], chosen[:, 1:])


def test_constraints_are_kept() -> None:
    domain = Domain.of(SPACE, ["a * b <= 20", "a < 0.7"])
    chosen = domain.sobol(32, 1)
    moved = refined(chosen, NOTHING, ALONG_A, domain)
    assert domain.met(moved).all()
    assert (moved[:, 0] > chosen[:, 0]).mean() > 0.8


def test_whole_numbers_stay() -> None:
    chosen = BOX.sobol(16, 1)
    np.testing.assert_array_equal(refined(chosen, NOTHING, HILL, BOX)[:, 2], chosen[:, 2])


@pytest.mark.parametrize("flat", [1.0, 0.0, math.nan])
def test_where_the_variance_does_not_rise_a_point_stays_to_the_bit(flat: float) -> None:
    learner = FeaturedExample(variance=lambda rows: np.full(len(rows), flat))
    chosen = BOX.sobol(16, 1)
    np.testing.assert_array_equal(refined(chosen, NOTHING, learner, BOX), chosen)


def test_no_chosen_points_are_none() -> None:
    assert refined(NOTHING, BOX.sobol(4, 1), HILL, BOX).shape == (0, 3)


def picks_of(query: object, driver: object) -> list[Pick]:
    channel: queue.Queue[Pick] = queue.Queue()
    query.attach(driver)  # type: ignore[attr-defined]
    query.sample(channel)  # type: ignore[attr-defined]
    return [channel.get() for _ in range(channel.qsize())]


def test_a_refined_strategy_asks_for_the_moved_picks_of_another(tmp_path: Path) -> None:
    driver = driver_with(tmp_path)
    plain = picks_of(AcquisitionQuery(4, top_k, "top_k"), driver)
    moved = picks_of(RefinedQuery(AcquisitionQuery(4, top_k, "top_k")), driver)
    before = [pick.sample.parameters["x"] for pick in plain]
    after = [pick.sample.parameters["x"] for pick in moved]
    assert len(after) == 4
    assert all(a > b for a, b in zip(after, before, strict=True))
    assert [pick.score for pick in moved] == [pick.score for pick in plain]
    assert all("; moved uphill by 0." in pick.reason for pick in moved)
    assert {pick.asked_by for pick in moved} == {"top_k"}


@pytest.mark.parametrize("settings", [TopKSettings, SbalSettings, HybridSettings])
def test_refinement_is_asked_for_in_a_campaign_file(settings: type[QuerySettings]) -> None:
    assert not isinstance(build_query(settings(), 3), RefinedQuery)
    refining = build_query(settings(refine=True), 3)
    assert isinstance(refining, RefinedQuery)
    assert refining.max_samples == 3
