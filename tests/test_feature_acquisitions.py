"""Acquisitions on features, against their definitions computed the long way."""

from collections.abc import Callable

import numpy as np
import pytest
from scipy.stats import chisquare
from strategy_examples import Array, FeaturedExample

from pools.errors import UsageError
from strategies.bait import variance_reduction_picks
from strategies.core_set import core_set, farthest_picks
from strategies.cover import Features, Indices
from strategies.kmeans_plus_plus import seeded_picks
from strategies.latent_novelty import latent_novelty
from strategies.maxdet import conditional_variance_picks

SIGMA = 0.1


def features(n: int, seed: int, size: int = 4) -> Features:
    return np.random.default_rng(seed).standard_normal((n, size), dtype=np.float32)


def generator(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def scaled(candidates: Features, labelled: Features) -> tuple[Array, Array]:
    """Return both scaled to a mean prior variance of 1, in double precision."""
    scale = 1 / np.sqrt(np.square(candidates.astype(float)).sum(1).mean())
    return candidates * scale, labelled * scale


def variances_given(candidates: Array, observed: Array) -> Array:
    """Return a Gaussian process's variances, by inverting the kernel matrix."""
    kernel = observed @ observed.T + SIGMA**2 * np.eye(len(observed))
    cross = candidates @ observed.T
    explained = np.einsum("ij,ji->i", cross, np.linalg.solve(kernel, cross.T))
    return np.asarray(np.square(candidates).sum(1) - explained)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("m", [1, 6])
def test_maxdet_takes_the_largest_conditional_variance(seed: int, m: int) -> None:
    candidates, labelled = features(30, seed), features(m, seed + 50)
    chosen, told = conditional_variance_picks(candidates, labelled, 8, SIGMA)
    rows, observed = scaled(candidates, labelled)
    is_open = np.ones(30, bool)
    for index, variance in zip(chosen.tolist(), told, strict=True):
        exact = variances_given(rows, observed)
        assert variance == pytest.approx(exact[index], rel=1e-3, abs=1e-5)
        assert exact[index] >= exact[is_open].max() - 1e-5
        is_open[index] = False
        observed = np.vstack([observed, rows[index]])


@pytest.mark.parametrize("seed", range(4))
def test_maxdet_is_greedy_for_the_determinant(seed: int) -> None:
    candidates = features(20, seed)
    chosen, _ = conditional_variance_picks(candidates, features(0, 0), 3, SIGMA)
    rows, _ = scaled(candidates, candidates)

    def determinant(indices: list[int]) -> float:
        part = rows[indices]
        return float(np.linalg.slogdet(part @ part.T + SIGMA**2 * np.eye(len(part)))[1])

    last = [determinant([*chosen[:2].tolist(), i]) for i in range(20) if i not in chosen[:2]]
    assert determinant(chosen.tolist()) == pytest.approx(max(last), abs=1e-4)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("m", [1, 6])
def test_bait_lowers_the_sum_of_variances_most(seed: int, m: int) -> None:
    candidates, labelled = features(25, seed), features(m, seed + 50)
    chosen, falls = variance_reduction_picks(candidates, labelled, 6, SIGMA)
    rows, observed = scaled(candidates, labelled)
    taken: list[int] = []
    for index, fall in zip(chosen.tolist(), falls, strict=True):
        before = variances_given(rows, observed).sum()
        after = {
            i: variances_given(rows, np.vstack([observed, rows[i]])).sum()
            for i in range(25)
            if i not in taken
        }
        assert after[index] == pytest.approx(min(after.values()), rel=1e-3)
        assert fall == pytest.approx(1 - after[index] / before, rel=1e-2)
        taken.append(index)
        observed = np.vstack([observed, rows[index]])


@pytest.mark.parametrize("pick", [conditional_variance_picks, variance_reduction_picks])
def test_the_scale_of_the_features_is_no_matter(
    pick: Callable[[Features, Features, int, float], tuple[Indices, Array]],
) -> None:
    candidates, labelled = features(30, 1), features(3, 2)
    plain, _ = pick(candidates, labelled, 6, SIGMA)
    larger, _ = pick(candidates * np.float32(64), labelled * np.float32(64), 6, SIGMA)
    np.testing.assert_array_equal(larger, plain)


def test_a_process_without_noise_is_an_error() -> None:
    with pytest.raises(UsageError, match="the noise is 0; it is a standard deviation"):
        conditional_variance_picks(features(5, 0), features(2, 1), 2, 0)


@pytest.mark.parametrize("seed", range(4))
def test_core_set_takes_the_farthest_each_time(seed: int) -> None:
    candidates, labelled = features(40, seed), features(3, seed + 50)
    centres = list(labelled)
    for index in farthest_picks(candidates, labelled, 10).indices:
        gaps = np.linalg.norm(candidates[:, np.newaxis] - np.array(centres), axis=-1).min(1)
        assert gaps[index] == pytest.approx(gaps.max(), rel=1e-5)
        centres.append(candidates[index])


def test_core_set_says_how_far() -> None:
    rows = np.array([[0.0], [1.0], [5.0]])
    selection = core_set(rows, rows[:1], FeaturedExample(), 2, generator())
    assert selection.indices.tolist() == [2, 1]
    assert selection.reasons[0].endswith("5 from the nearest labelled or chosen")


def test_core_set_covers_within_twice_the_best_radius() -> None:
    line = np.arange(12, dtype=np.float32)[:, np.newaxis]
    centres = line[farthest_picks(line, line[:0], 3).indices]
    radius = np.abs(line - centres.T).min(1).max()
    assert radius <= 2 * 2  # three intervals of four points have a radius of 2


def test_latent_novelty_scores_by_distance_before_the_choice() -> None:
    rows = np.array([[0.0], [1.0], [4.0], [5.0]])
    selection = latent_novelty(rows, rows[:1], FeaturedExample(), 2, generator())
    assert selection.indices.tolist() == [3, 1]  # not its neighbour at 4
    assert selection.scores is not None
    np.testing.assert_allclose(selection.scores, [0, 1, 4, 5], atol=1e-3)


def test_kmeans_plus_plus_draws_by_squared_distance() -> None:
    line = np.array([[1.0], [2.0], [3.0]], np.float32)
    rng, counts = generator(1), np.zeros(3)
    for _ in range(3000):
        counts[seeded_picks(line, np.zeros((1, 1), np.float32), 1, rng)[0]] += 1
    assert chisquare(counts, 3000 * np.array([1, 4, 9]) / 14).pvalue > 0.01


def test_kmeans_plus_plus_never_draws_a_centre_while_others_are_left() -> None:
    rows = features(10, 0)
    for seed in range(20):
        chosen, _ = seeded_picks(rows, rows[:5], 5, generator(seed))
        assert sorted(chosen.tolist()) == [5, 6, 7, 8, 9]
