"""LCMD against its definition, and against the code of its paper's authors where it is there."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lcmd_oracle import oracle_picks
from strategy_examples import FeaturedExample

from strategies.clustering import largest_cluster_picks
from strategies.cover import Cover, Features
from strategies.lcmd import lcmd


def features(n: int, size: int, seed: int) -> Features:
    return np.random.default_rng(seed).standard_normal((n, size), dtype=np.float32)


def squared_distances(a: Features, b: Features) -> np.ndarray:
    return np.square(a[:, np.newaxis].astype(float) - b[np.newaxis]).sum(-1)


def by_definition(candidates: Features, labelled: Features, k: int) -> list[int]:
    """Pick by the definition, in double precision; something is labelled."""
    centres, chosen = list(labelled), []
    for _ in range(k):
        distances = squared_distances(candidates, np.array(centres))
        nearest, least = distances.argmin(1), distances.min(1)
        largest = np.bincount(nearest, least).argmax()
        inside = np.where((nearest == largest), least, -1.0)
        inside[chosen] = -1.0
        chosen.append(int(inside.argmax()))
        centres.append(candidates[chosen[-1]])
    return chosen


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    ("n", "m", "k", "size"), [(200, 0, 20, 5), (300, 1, 40, 8), (900, 20, 60, 16), (60, 3, 60, 4)]
)
def test_picks_are_those_of_bmdal_reg(n: int, m: int, k: int, size: int, seed: int) -> None:
    candidates, labelled = features(n, size, seed), features(m, size, seed + 100)
    picks = largest_cluster_picks(candidates, labelled, k)
    np.testing.assert_array_equal(picks.indices, oracle_picks(candidates, labelled, k))


@given(st.integers(0, 1000), st.integers(1, 5), st.integers(1, 12))
def test_picks_follow_the_definition(seed: int, m: int, k: int) -> None:
    candidates, labelled = features(40, 3, seed), features(m, 3, seed + 5000)
    picks = largest_cluster_picks(candidates, labelled, k)
    assert picks.indices.tolist() == by_definition(candidates, labelled, k)


def test_first_pick_without_labels_has_the_largest_norm() -> None:
    candidates = np.array([[1, 0], [0, -5], [3, 3]], np.float32)
    picks = largest_cluster_picks(candidates, np.empty((0, 2), np.float32), 2)
    assert picks.indices.tolist() == [1, 2]
    assert picks.members.tolist() == [3, 3]


def test_the_cluster_of_the_largest_sum_is_asked_not_the_farthest_point() -> None:
    labelled = np.array([[0.0], [100.0]], np.float32)
    candidates = np.array([[103.0], [1.9], [2.0], [-2.0]], np.float32)  # sums 9 and 11.6
    picks = largest_cluster_picks(candidates, labelled, 1)
    assert picks.indices.tolist() == [2]
    assert picks.members.tolist() == [3]
    assert picks.distances.tolist() == [4.0]


@pytest.mark.parametrize("seed", range(4))
def test_the_order_of_the_candidates_is_no_matter(seed: int) -> None:
    candidates, labelled = features(120, 6, seed), features(7, 6, 50)
    order = np.random.default_rng(seed).permutation(120)
    moved = largest_cluster_picks(candidates[order], labelled, 30).indices
    np.testing.assert_array_equal(
        order[moved], largest_cluster_picks(candidates, labelled, 30).indices
    )


@pytest.mark.parametrize("seed", range(4))
def test_a_common_shift_is_no_matter(seed: int) -> None:
    candidates, labelled = features(120, 6, seed), features(7, 6, 50)
    plain = largest_cluster_picks(candidates, labelled, 30).indices
    shifted = largest_cluster_picks(candidates + np.float32(2), labelled + np.float32(2), 30)
    np.testing.assert_array_equal(shifted.indices, plain)


@pytest.mark.parametrize("m", [0, 1, 3])
def test_candidates_that_are_all_alike_are_chosen_once_each(m: int) -> None:
    candidates = np.ones((9, 4), np.float32)
    picks = largest_cluster_picks(candidates, candidates[:m], 9)
    assert sorted(picks.indices.tolist()) == list(range(9))


def test_candidates_that_equal_a_labelled_point_come_last() -> None:
    candidates, labelled = features(12, 3, 0), features(12, 3, 0)[:4]
    picks = largest_cluster_picks(candidates, labelled, 12)
    assert set(picks.indices[8:].tolist()) == {0, 1, 2, 3}


def test_cover_finds_the_nearest_centre_over_many_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("strategies.cover._WIDE", 64)
    candidates, labelled = features(100, 3, 1), features(9, 3, 2)
    cover = Cover.of(candidates, labelled)
    exact = squared_distances(candidates, labelled)
    np.testing.assert_array_equal(cover.nearest, exact.argmin(1))
    np.testing.assert_allclose(cover.distances, exact.min(1), rtol=1e-4, atol=1e-5)


def test_the_acquisition_says_which_cluster_each_is_from() -> None:
    rows = np.array([[103.0], [1.9], [2.0], [-2.0]])
    selection = lcmd(
        rows, np.array([[0.0], [100.0]]), FeaturedExample(), 2, np.random.default_rng(0)
    )
    assert selection.indices.tolist() == [2, 0]
    assert selection.reasons[0] == "farthest of the largest cluster (cluster of 3)"
