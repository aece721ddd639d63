"""The chance of a solution and its seconds, learnt from how the tried samples ended."""

import numpy as np
import pytest
from numpy.typing import NDArray

from pools.outcomes import Outcomes
from pools.parameter import Parameter
from pools.space import ParameterSpace
from surrogates.cost import FEWEST_SAMPLES, cost_quality, fit_cost
from surrogates.feasibility import FEWEST_FAILURES, feasibility_quality, fit_feasibility

Array = NDArray[np.float64]

SPACE = ParameterSpace(
    {"re": Parameter(low=1, high=100, scale="log"), "angle": Parameter(low=-9, high=9)}
)


def feasible(rows: Array) -> NDArray[np.bool_]:
    cube = SPACE.normalise(rows)
    solved: NDArray[np.bool_] = cube[:, 0] + 0.8 * cube[:, 1] < 1.1
    return solved


def seconds_at(rows: Array) -> Array:
    seconds: Array = rows[:, 0] ** 0.5  # one to ten
    return seconds


def tried(n: int) -> Outcomes:
    rows = SPACE.sobol(n, seed=1)
    return Outcomes(rows, feasible(rows), seconds_at(rows))


def with_failures(failures: int, n: int = 20) -> Outcomes:
    solved = np.arange(n) >= failures
    return Outcomes(SPACE.sobol(n, seed=1), solved, np.ones(n))


@pytest.fixture(scope="module")
def elsewhere() -> Array:
    return SPACE.sobol(512, seed=2)


def test_the_feasible_region_is_learnt_across_the_parameters(elsewhere: Array) -> None:
    chances = fit_feasibility(SPACE, tried(60), 0)(elsewhere)
    assert np.mean((chances > 0.5) == feasible(elsewhere)) > 0.93
    assert chances.min() >= 0
    assert chances.max() <= 1


@pytest.mark.parametrize("failures", [0, FEWEST_FAILURES - 1, 20])
def test_everything_is_feasible_until_failures_and_successes_say_otherwise(
    failures: int, elsewhere: Array
) -> None:
    assert (fit_feasibility(SPACE, with_failures(failures), 0)(elsewhere) == 1).all()
    assert feasibility_quality(SPACE, with_failures(failures), 0) is None


def test_a_few_failures_are_enough(elsewhere: Array) -> None:
    chances = fit_feasibility(SPACE, with_failures(FEWEST_FAILURES), 0)(elsewhere)
    assert (chances < 1).all()


def test_the_same_seed_gives_the_same_chances(elsewhere: Array) -> None:
    first, second = (fit_feasibility(SPACE, tried(40), 7)(elsewhere) for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_left_out_samples_are_told_better_than_by_the_share_that_was_solved() -> None:
    quality = feasibility_quality(SPACE, tried(60), 2**62)
    assert quality is not None
    assert (quality.samples, quality.failures) == (60, tried(60).failures)
    assert quality.base_brier == pytest.approx(feasible(tried(60).parameters).var())
    assert quality.brier < 0.5 * quality.base_brier
    assert quality.auc > 0.95


def test_failures_at_random_are_no_better_told_than_by_their_share() -> None:
    rows = SPACE.sobol(60, seed=1)
    coin = np.random.default_rng(0).random(60) < 0.5
    quality = feasibility_quality(SPACE, Outcomes(rows, coin, np.ones(60)), 0)
    assert quality is not None
    assert quality.brier > 0.8 * quality.base_brier


def test_a_part_of_very_many_samples_tells_the_region_as_well(elsewhere: Array) -> None:
    chances = fit_feasibility(SPACE, tried(400), 0)(elsewhere)
    assert np.mean((chances > 0.5) == feasible(elsewhere)) > 0.97


def test_chances_at_no_points_are_none() -> None:
    assert fit_feasibility(SPACE, tried(40), 0)(np.empty((0, 2))).shape == (0,)
    assert fit_cost(SPACE, tried(40), 0)(np.empty((0, 2))).shape == (0,)


def test_seconds_are_learnt_over_a_tenfold_spread(elsewhere: Array) -> None:
    expected = fit_cost(SPACE, tried(40), 0)(elsewhere)
    assert np.median(np.abs(expected / seconds_at(elsewhere) - 1)) < 0.02


def test_a_step_in_the_seconds_is_learnt_by_the_other_regression() -> None:
    rows = SPACE.sobol(128, seed=1)
    dear = np.where(SPACE.normalise(rows)[:, 1] > 0.5, 10.0, 1.0)
    quality = cost_quality(SPACE, Outcomes(rows, feasible(rows), dear), 0)
    assert quality is not None
    assert (quality.kind, quality.r2 > 0.9) == ("boosting", True)


def test_few_samples_cost_their_median_everywhere(elsewhere: Array) -> None:
    few = tried(FEWEST_SAMPLES - 1)
    assert (fit_cost(SPACE, few, 0)(elsewhere) == np.median(few.seconds)).all()
    assert (fit_cost(SPACE, tried(0), 0)(elsewhere) == 1).all()
    assert cost_quality(SPACE, few, 0) is None


def test_noise_in_the_seconds_raises_their_mean_above_their_median(elsewhere: Array) -> None:
    rows, noise = SPACE.sobol(256, seed=1), np.random.default_rng(0).normal(0, 1, 256)
    seconds = fit_cost(SPACE, Outcomes(rows, feasible(rows), np.exp(noise)), 0)(elsewhere)
    assert np.median(seconds) == pytest.approx(np.exp(0.5), rel=0.2)


def test_seconds_without_a_spread_explain_nothing_and_are_kept(elsewhere: Array) -> None:
    constant = Outcomes(SPACE.sobol(16, seed=1), np.ones(16, np.bool_), np.full(16, 3.0))
    quality = cost_quality(SPACE, constant, 0)
    assert quality is not None
    assert (quality.r2, quality.median_relative_error) == pytest.approx((0, 0))
    np.testing.assert_allclose(fit_cost(SPACE, constant, 0)(elsewhere), 3.0)


def test_nothing_is_expected_far_beyond_what_was_seen() -> None:
    rows = SPACE.sobol(12, seed=1)
    inner = Outcomes(rows, feasible(rows), seconds_at(rows))
    outer = fit_cost(SPACE, inner, 0)(np.array([[1.0, -9.0], [100.0, 9.0]]))
    assert outer.max() <= 1.5 * inner.seconds.max()
