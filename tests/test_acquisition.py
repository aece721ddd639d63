"""The acquisitions, against what the mathematics says of them."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare
from strategy_examples import Array, ClosedFormLearner

from pools.errors import UsageError
from strategies.acquisition import Selection, checked
from strategies.sbal import gumbel_top_k, inclusion_probabilities, sbal
from strategies.top_k import top_k

POINTS = np.random.default_rng(0).random((40, 2))
NOTHING = np.empty((0, 2))


def generator(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_top_k_takes_the_largest_variances_in_order() -> None:
    learner = ClosedFormLearner(variance=lambda _rows: np.array([1.0, 5.0, 2.0, 5.0, 3.0]))
    selection = top_k(POINTS[:5], NOTHING, learner, 3, generator())
    assert selection.indices.tolist() == [1, 3, 4]
    assert selection.reasons[0] == "variance 1.56 times the pool's mean, rank 1 of 5"


@pytest.mark.parametrize("seed", range(5))
def test_sbal_of_a_large_exponent_is_top_k(seed: int) -> None:
    learner = ClosedFormLearner()
    sharp = sbal(POINTS, NOTHING, learner, 9, generator(seed), beta=1e6)
    expected = top_k(POINTS, NOTHING, learner, 9, generator())
    np.testing.assert_array_equal(sharp.indices, expected.indices)
    assert sharp.probabilities is not None
    np.testing.assert_allclose(sharp.probabilities, 1, atol=1e-6)


def test_sbal_of_exponent_zero_draws_every_subset_equally_often() -> None:
    rng, learner = generator(1), ClosedFormLearner()
    subsets = dict.fromkeys(combinations(range(6), 2), 0)
    for _ in range(3000):
        chosen = sbal(POINTS[:6], NOTHING, learner, 2, rng, beta=0).indices
        subsets[tuple(sorted(chosen.tolist()))] += 1
    assert chisquare(list(subsets.values())).pvalue > 0.01


def test_sbal_of_exponent_zero_gives_everyone_the_same_chance() -> None:
    selection = sbal(POINTS, NOTHING, ClosedFormLearner(), 8, generator(), beta=0)
    assert selection.probabilities is not None
    np.testing.assert_allclose(selection.probabilities, 8 / 40)


def test_gumbel_top_k_draws_without_replacement_in_proportion() -> None:
    weights = np.array([1.0, 2.0, 3.0, 4.0])
    rng, counts = generator(2), np.zeros((4, 4))
    for _ in range(4000):
        first, second = gumbel_top_k(np.log(weights), 2, rng)
        counts[first, second] += 1
    share = weights / weights.sum()
    expected = np.outer(share, share) / (1 - share)[:, np.newaxis]
    off = ~np.eye(4, dtype=bool)
    assert chisquare(counts[off], 4000 * expected[off]).pvalue > 0.01
    assert counts.trace() == 0


def test_inclusion_probabilities_agree_with_counting() -> None:
    weights = np.linspace(0.1, 5, 60)
    rng, counts = generator(3), np.zeros(60)
    for _ in range(4000):
        counts[gumbel_top_k(np.log(weights), 10, rng)] += 1
    expected = inclusion_probabilities(np.log(weights), 10)
    np.testing.assert_allclose(counts / 4000, expected, atol=0.03)


@given(
    st.lists(st.floats(-30, 30), min_size=1, max_size=30).flatmap(
        lambda logs: st.tuples(st.just(np.array(logs)), st.integers(0, len(logs)))
    )
)
def test_inclusion_probabilities_sum_to_k_and_grow_with_the_weight(
    case: tuple[Array, int],
) -> None:
    log_weights, k = case
    chances = inclusion_probabilities(log_weights, k)
    assert chances.sum() == pytest.approx(k, abs=1e-6)
    assert ((chances >= 0) & (chances <= 1)).all()
    assert (np.diff(chances[np.argsort(log_weights)]) >= 0).all()


def test_weights_of_zero_are_drawn_only_when_nothing_else_is_left() -> None:
    log_weights = np.array([-np.inf, 0.0, -np.inf, 0.0, -np.inf])
    drawn = [gumbel_top_k(log_weights, 3, generator(seed)).tolist() for seed in range(30)]
    assert all(set(chosen[:2]) == {1, 3} for chosen in drawn)
    assert {chosen[2] for chosen in drawn} == {0, 2, 4}
    np.testing.assert_allclose(
        inclusion_probabilities(log_weights, 3), [1 / 3, 1, 1 / 3, 1, 1 / 3]
    )


@pytest.mark.parametrize(
    ("indices", "message"),
    [
        ([1, 1, 2], "chose 2 distinct candidates"),
        ([1, 2], r"shape \(2,\); it was asked for 3"),
        ([0, 4, 5], "chose candidate 5; the candidates are 0 to 4"),
        ([0, 1, -1], "chose candidate -1"),
    ],
)
def test_a_selection_that_breaks_its_promise_is_an_error(indices: list[int], message: str) -> None:
    with pytest.raises(UsageError, match=f"'mine' {message}|'mine'.*{message}"):
        checked(Selection(np.array(indices)), 3, 5, "mine")
