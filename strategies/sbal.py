"""SBAL, stochastic batch active learning: draw candidates in proportion to a power of variance.

[Kirsch2023] A. Kirsch et al., Stochastic batch acquisition: a simple baseline for deep active
learning, Transactions on Machine Learning Research, 2023.
[Musekamp2024] D. Musekamp et al., Active learning for neural PDE solvers (AL4PDE),
arXiv:2408.01536, 2024.
[Kool2019] W. Kool, H. van Hoof and M. Welling, Stochastic beams and where to find them: the
Gumbel-top-k trick for sampling sequences without replacement, ICML 2019.
[Rosen1972] B. Rosén, Asymptotic theory for successive sampling with varying probabilities without
replacement, I, Annals of Mathematical Statistics 43(2), 1972.
"""

import numpy as np
from numpy.typing import NDArray

from strategies.acquisition import Indices, Selection, require_candidates, spread
from strategies.scores import ranked_reasons
from surrogates.prediction import Learner

Array = NDArray[np.float64]

_CERTAIN = 50.0  # 1 - exp(-exp(50)) is 1, and exp(-50) is nothing, in double precision


def sbal(
    candidates: Array,
    _labelled: Array,
    learner: Learner,
    k: int,
    rng: np.random.Generator,
    *,
    beta: float = 1.0,
) -> Selection:
    """Draw `k` candidates without replacement, weighted by variance ** `beta` [Kirsch2023].

    `beta` = 1 is SBAL as in [Musekamp2024]; 0 is uniformly random; large is top-K.
    """
    require_candidates(k, len(candidates))
    scores = spread(learner, candidates, "sbal")
    weights = log_weights(scores, beta)
    chosen = gumbel_top_k(weights, k, rng)
    probabilities = inclusion_probabilities(weights, k)[chosen]
    return Selection(chosen, scores, probabilities, ranked_reasons(scores, chosen, "variance"))


def gumbel_top_k(log_weights: Array, k: int, rng: np.random.Generator) -> Indices:
    """Draw `k` of `n` without replacement, in proportion to their weights [Kool2019].

    Where fewer than `k` weights are above zero, the rest is drawn uniformly from the others.

    Args:
        log_weights: logarithms of the weights, minus infinity for zero, shape (n,).
        k: how many to draw.
        rng: the source of random numbers.

    Returns:
        Indices in the order of drawing, shape (k,).
    """
    noise = rng.gumbel(size=len(log_weights))
    return np.lexsort((noise, log_weights + noise))[::-1][:k]


def inclusion_probabilities(log_weights: Array, k: int) -> Array:
    """Return each candidate's chance to be among the `k` drawn, shape (n,); they sum to k.

    `gumbel_top_k` takes the first `k` of `n` exponential clocks; the chance is that of having rung
    at the time when `k` are expected to have [Rosen1972]: exact in the limit of many candidates
    and for equal weights.
    """
    possible = np.isfinite(log_weights)
    count = int(possible.sum())
    if k >= count:
        return np.where(possible, 1.0, (k - count) / max(len(log_weights) - count, 1))
    low = -log_weights[possible].max() - _CERTAIN
    high = -log_weights[possible].min() + _CERTAIN
    for _ in range(100):  # bisection on the logarithm of that time
        middle = 0.5 * (low + high)
        if _rung(log_weights, middle).sum() < k:
            low = middle
        else:
            high = middle
    return _rung(log_weights, high)


def _rung(log_weights: Array, log_time: float) -> Array:
    return -np.expm1(-np.exp(np.minimum(log_weights + log_time, _CERTAIN)))


def log_weights(scores: Array, beta: float) -> Array:
    """Return the logarithms of scores ** `beta`, minus infinity for zero, shape (n,)."""
    if beta == 0:
        return np.zeros(len(scores))  # also where the variance is zero
    with np.errstate(divide="ignore"):
        return beta * np.log(scores)
