"""The hybrid: its corners are published methods, and its weights are what they say."""

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from lcmd_oracle import oracle_picks
from pydantic import TypeAdapter
from scipy.stats import chisquare
from strategy_examples import Array, ClosedFormLearner, FeaturedExample, driver_with

from pools.errors import CampaignError, UsageError
from strategies.exponent import measured_exponent, scheduled_exponent
from strategies.hybrid import Hybrid
from strategies.lcmd import lcmd
from strategies.picking import run_queries
from strategies.sbal import sbal
from strategies.settings import QuerySettings, build_query
from strategies.top_k import top_k

POINTS = np.random.default_rng(0).random((60, 3))
LABELLED = np.random.default_rng(1).random((5, 3))
LEARNER = FeaturedExample()
WAYS = (4.0, math.inf)  # a shortlist that is drawn, and the whole pool


def generator(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def chosen(rule: Hybrid, k: int = 8, seed: int = 0, points: Array = POINTS) -> list[int]:
    return rule(points, LABELLED, LEARNER, k, generator(seed)).indices.tolist()


def never_with_less_than(x: float) -> Callable[[Array], Array]:
    return lambda rows: np.where(rows[:, 0] < x, 0.1, 0.9)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("k", [1, 8, 60])
@pytest.mark.parametrize("beta", [0.5, 1.0, 2.0])
def test_a_shortlist_of_the_batch_is_sbal(seed: int, k: int, beta: float) -> None:
    ours = Hybrid(shortlist=1, beta=beta)(POINTS, LABELLED, LEARNER, k, generator(seed))
    peer = sbal(POINTS, LABELLED, LEARNER, k, generator(seed), beta=beta)
    np.testing.assert_array_equal(ours.indices, peer.indices)
    np.testing.assert_array_equal(ours.probabilities, peer.probabilities)
    np.testing.assert_array_equal(ours.scores, peer.scores)
    assert ours.reasons == peer.reasons


@pytest.mark.parametrize("seed", range(5))
def test_the_whole_pool_without_exponent_is_lcmd(seed: int) -> None:
    points = generator(seed).random((200, 3))
    ours = chosen(Hybrid(shortlist=math.inf, beta=0), 20, seed, points)
    peer = lcmd(points, LABELLED, LEARNER, 20, generator()).indices
    np.testing.assert_array_equal(ours, peer)


@pytest.mark.parametrize("seed", range(5))
def test_the_whole_pool_without_exponent_picks_what_bmdal_reg_picks(seed: int) -> None:
    points = generator(seed).random((200, 3))
    oracle = oracle_picks(points.astype(np.float32), LABELLED.astype(np.float32), 20)
    np.testing.assert_array_equal(
        chosen(Hybrid(shortlist=math.inf, beta=0), 20, seed, points), oracle
    )


@pytest.mark.parametrize("seed", range(5))
def test_a_huge_exponent_is_top_k(seed: int) -> None:
    peer = top_k(POINTS, LABELLED, LEARNER, 8, generator()).indices.tolist()
    assert chosen(Hybrid(shortlist=1, beta=1e6), 8, seed) == peer


def test_a_shortlist_of_the_batch_without_exponent_is_random() -> None:
    rule, rng, counts = Hybrid(shortlist=1, beta=0), generator(3), np.zeros(12)
    for _ in range(3000):
        counts[rule(POINTS[:12], LABELLED, LEARNER, 3, rng).indices] += 1
    assert chisquare(counts).pvalue > 0.01


def test_the_batch_is_chosen_from_the_shortlist() -> None:
    top = set(top_k(POINTS, LABELLED, LEARNER, 16, generator()).indices.tolist())
    assert set(chosen(Hybrid(shortlist=2, beta=1e6))) <= top


def test_a_shortlist_larger_than_the_pool_is_the_pool() -> None:
    assert sorted(chosen(Hybrid(shortlist=4), k=60)) == list(range(60))


def test_what_will_fail_is_never_asked() -> None:
    rule = Hybrid(shortlist=4, feasibility=never_with_less_than(0.5))
    for seed in range(20):
        assert (POINTS[chosen(rule, seed=seed), 0] >= 0.5).all()


def test_the_whole_pool_leaves_out_what_will_fail() -> None:
    rule = Hybrid(shortlist=math.inf, beta=0, feasibility=never_with_less_than(0.5))
    assert (POINTS[chosen(rule), 0] >= 0.5).all()


@pytest.mark.parametrize("shortlist", WAYS)
def test_a_constant_cost_or_feasibility_changes_nothing(shortlist: float) -> None:
    rule = Hybrid(shortlist=shortlist)
    plain = chosen(rule)
    assert chosen(replace(rule, cost=lambda rows: np.full(len(rows), 8.0), alpha=1)) == plain
    assert chosen(replace(rule, feasibility=lambda rows: np.full(len(rows), 0.5))) == plain


def test_the_whole_pool_draws_nothing() -> None:
    assert chosen(Hybrid(), seed=0) == chosen(Hybrid(), seed=1)


def test_the_distances_of_the_whole_pool_count_by_the_variance() -> None:
    points = np.array([[0.5, 0.0, 0.0], [-0.9, 0.0, 0.0]])
    right = replace(LEARNER, variance=lambda rows: np.where(rows[:, 0] > 0, 9.0, 1.0))

    def first(beta: float) -> float:
        rule = Hybrid(beta=beta)
        picked = rule(points, np.zeros((1, 3)), right, 1, generator()).indices[0]
        return float(points[picked, 0])

    assert first(0) == -0.9
    assert first(0.5) == -0.9  # 0.25 x 3 is less than 0.81 x 1
    assert first(1) == 0.5


def test_a_huge_exponent_of_the_whole_pool_begins_with_the_largest_variance() -> None:
    peer = top_k(POINTS, LABELLED, LEARNER, 1, generator()).indices.tolist()
    assert chosen(Hybrid(beta=1e6), 8)[:1] == peer


def test_weights_that_are_all_zero_leave_the_distances() -> None:
    settled = replace(LEARNER, variance=lambda rows: np.where(rows[:, 0] < 0.5, 1.0, 0.0))
    rule = Hybrid(feasibility=never_with_less_than(0.5))
    right = np.flatnonzero(POINTS[:, 0] >= 0.5)
    peer = right[lcmd(POINTS[right], LABELLED, LEARNER, 8, generator()).indices]
    picked = rule(POINTS, LABELLED, settled, 8, generator()).indices
    np.testing.assert_array_equal(picked, peer)


def test_cost_counts_with_its_exponent() -> None:
    def cost(rows: Array) -> Array:
        return 10 ** (2 * rows[:, 0])

    def mean_cost(alpha: float) -> float:
        rule = Hybrid(shortlist=4, beta=0, alpha=alpha, cost=cost)
        return float(np.mean([cost(POINTS[chosen(rule, seed=seed)]).mean() for seed in range(20)]))

    assert 1.3 * mean_cost(2) < mean_cost(1) < mean_cost(0) / 1.3


def test_reasons_tell_all_that_counted() -> None:
    rule = Hybrid(
        shortlist=4,
        cost=lambda rows: np.full(len(rows), 2.5),
        alpha=1,
        feasibility=lambda rows: np.full(len(rows), 0.75),
    )
    selection = rule(POINTS, LABELLED, LEARNER, 4, generator())
    assert selection.probabilities is None
    for reason in selection.reasons:
        assert "times the pool's mean, rank" in reason
        assert "; 0.75 likely to be solved; 2.5 s expected; farthest of the largest" in reason
        assert reason.split("; ")[-1].startswith("chance of the shortlist 0.")


def test_without_exponent_the_learner_needs_no_spread() -> None:
    certain = replace(LEARNER, variance=lambda rows: np.zeros(len(rows)))
    selection = Hybrid(beta=0)(POINTS, LABELLED, certain, 4, generator())
    assert selection.scores is None


def test_a_learner_without_features_is_an_error() -> None:
    with pytest.raises(UsageError, match=r"'hybrid' needs a learner with features\(parameters"):
        Hybrid()(POINTS, LABELLED, ClosedFormLearner(), 4, generator())


@pytest.mark.parametrize(
    ("learner", "kind", "message"),
    [
        (FeaturedExample(of=lambda rows: rows * np.nan), CampaignError, "not finite at 16 of 16"),
        (FeaturedExample(of=lambda rows: rows[0]), UsageError, r"shape \(3,\) for 16 points"),
        (
            FeaturedExample(of=lambda rows: np.ones((len(rows), len(rows)))),
            UsageError,
            "16 features of a candidate but 5 of a labelled point",
        ),
    ],
)
def test_features_that_cannot_be_used_are_an_error(
    learner: FeaturedExample, kind: type[Exception], message: str
) -> None:
    with pytest.raises(kind, match=message):
        Hybrid(shortlist=4)(POINTS, LABELLED, learner, 4, generator())


@pytest.mark.parametrize(
    ("rule", "kind", "message"),
    [
        (
            Hybrid(feasibility=lambda rows: np.zeros(len(rows))),
            CampaignError,
            "asked for 4 samples but 0 of 60 candidates are solved .* at least 0.25; lower",
        ),
        (
            Hybrid(feasibility=lambda rows: np.full(len(rows), np.nan)),
            CampaignError,
            "feasibility is nan at candidate 0; it is a probability",
        ),
        (
            Hybrid(cost=lambda rows: -rows[:, 0], alpha=1),
            CampaignError,
            "cost is -0.*at candidate 0; it is seconds",
        ),
        (Hybrid(cost=lambda rows: rows, alpha=1), UsageError, r"cost has shape \(60, 3\) for 60"),
    ],
)
def test_estimates_that_cannot_be_used_are_an_error(
    rule: Hybrid, kind: type[Exception], message: str
) -> None:
    with pytest.raises(kind, match=message):
        rule(POINTS, LABELLED, LEARNER, 4, generator())


@pytest.mark.parametrize("shortlist", [0.5, 0, -1, math.nan])
def test_a_shortlist_below_the_batch_is_an_error(shortlist: float) -> None:
    with pytest.raises(UsageError, match="at least 1, or infinity"):
        Hybrid(shortlist=shortlist)


def test_unknown_features_are_an_error() -> None:
    unknown: Any = "colour"
    with pytest.raises(UsageError, match="features='colour'; allowed are gradients, last_layer"):
        Hybrid(features=unknown)(POINTS, LABELLED, LEARNER, 4, generator())


def test_the_scheduled_exponent_is_nothing_at_first() -> None:
    assert [scheduled_exponent(step) for step in range(4)] == [0, 0.5, 0.5, 0.5]


@pytest.mark.parametrize(
    ("errors", "expected"),
    [([1, 2, 3, 9], 1.0), ([9, 3, 2, 1], 0.0), ([1, 3, 2, 4], 0.8), ([5, 5, 5, 5], 0.0)],
)
def test_the_measured_exponent_is_the_rank_correlation(
    errors: list[float], expected: float
) -> None:
    measured = measured_exponent(np.array([0.1, 0.2, 0.4, 0.8]), np.array(errors, float))
    assert measured == pytest.approx(expected)


def test_two_pairs_measure_nothing() -> None:
    assert measured_exponent(np.array([1.0, 2.0]), np.array([1.0, 2.0])) == 0


def test_an_exponent_of_unequal_pairs_is_an_error() -> None:
    with pytest.raises(UsageError, match=r"shape \(2,\) and errors of shape \(3,\)"):
        measured_exponent(np.ones(2), np.ones(3))


@pytest.mark.parametrize(("step", "same_as"), [(0, 0), (1, 0.5), (4, 0.5)])
def test_a_scheduled_hybrid_takes_the_exponent_of_its_step(
    step: int, same_as: float, tmp_path: Path
) -> None:
    driver = replace(driver_with(tmp_path), active_learning_step_idx=step)

    def asked(beta: float | str) -> list[str]:
        settings: QuerySettings = TypeAdapter(QuerySettings).validate_python(
            {"kind": "hybrid", "beta": beta, "shortlist": 2}
        )
        fresh = replace(driver, rng=generator(4))
        return [pick.sample.id for pick in run_queries([build_query(settings, 3)], fresh)]

    assert asked("schedule") == asked(same_as)


def _chance_of(high: int) -> Callable[[Array], Array]:
    """Say that so many of the points are surely solved, and the others as likely as not."""
    return lambda rows: np.where(np.arange(len(rows)) < high, 1.0, 0.5)


def test_likely_candidates_are_taken_while_there_are_enough() -> None:
    chosen = Hybrid(feasibility=_chance_of(9))(POINTS, LABELLED, LEARNER, 4, generator()).indices
    assert chosen.max() < 9


def test_where_too_few_are_likely_others_are_asked_for() -> None:
    chosen = Hybrid(feasibility=_chance_of(3))(POINTS, LABELLED, LEARNER, 4, generator()).indices
    assert chosen.max() >= 3


def test_the_floor_may_be_lower_than_a_quarter() -> None:
    hopeless = Hybrid(feasibility=lambda rows: np.full(len(rows), 0.1), floor=0.05)
    assert len(hopeless(POINTS, LABELLED, LEARNER, 4, generator()).indices) == 4
