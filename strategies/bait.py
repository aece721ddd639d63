"""BAIT: the batch that leaves the least variance over the pool, forward greedy (BAIT-F).

[Ash2021] J. T. Ash, S. Goel, A. Krishnamurthy and S. Kakade, Gone fishing: neural active learning
with Fisher embeddings, NeurIPS 2021.
[Holzmueller2023] D. Holzmüller, V. Zaverkin, J. Kästner and I. Steinwart, A framework and
benchmark for deep batch active learning for regression, JMLR 24(164), 2023.
"""

import numpy as np
from numpy.typing import NDArray

from strategies.acquisition import Selection, require_candidates
from strategies.cover import Features, Indices
from strategies.features import features_of
from strategies.posterior import Posterior, gram, quadratic
from surrogates.prediction import FeatureKind, Learner

Array = NDArray[np.float64]


def bait(
    candidates: Array,
    labelled: Array,
    learner: Learner,
    k: int,
    _rng: np.random.Generator,
    *,
    features: FeatureKind = "gradients",
    sigma: float = 0.01,
) -> Selection:
    """Choose greedily what lowers the pool's mean variance most [Ash2021].

    `sigma` is the noise of an answer, relative to the prior's standard deviation.
    """
    require_candidates(k, len(candidates))
    both = features_of(learner, candidates, labelled, features, "bait")
    chosen, falls = variance_reduction_picks(*both, k, sigma)
    reasons = tuple(f"lowers the pool's variance by {100 * fall:.3g} %" for fall in falls)
    return Selection(chosen, reasons=reasons)


def variance_reduction_picks(
    candidates: Features, labelled: Features, k: int, sigma: float
) -> tuple[Indices, Array]:
    """Pick `k` by how much each lowers the sum of the candidates' variances.

    In regression the sum is the trace of the weights' covariance times the Fisher information of
    the pool [Ash2021, Holzmueller2023]. Both are updated by outer products: O(D^2 + n D) a pick.

    Args:
        candidates: features, shape (n, D).
        labelled: features, shape (m, D).
        k: how many, at most n.
        sigma: standard deviation of the noise, relative to the prior's.

    Returns:
        Which, and the fraction by which each lowered the sum, both of shape (k,).
    """
    posterior = Posterior.of(candidates, labelled, sigma)
    fisher = posterior.covariance @ gram(posterior.rows) @ posterior.covariance  # (D, D)
    falls = quadratic(posterior.rows, fisher)  # times noise plus variance
    is_open = np.ones(len(candidates), bool)
    chosen, lowered = np.empty(k, np.intp), np.empty(k)
    for i in range(k):
        scores = falls / (posterior.noise + posterior.variances)
        index = chosen[i] = int(np.where(is_open, scores, -1.0).argmax())
        lowered[i] = scores[index] / max(posterior.variances.sum(), np.finfo(float).tiny)
        falls = _observe(posterior, fisher, falls, index)
        is_open[index] = False
    return chosen, lowered


def _observe(posterior: Posterior, fisher: Array, falls: Array, index: int) -> Array:
    """Observe a candidate; update `fisher` in place and return the new `falls`."""
    direction, share = posterior.gain(index)
    scale = np.sqrt(posterior.noise + posterior.variances[index])
    pulled = fisher @ posterior.rows[index] / scale  # (D,): what the pool gains along it
    total = float(posterior.rows[index] @ pulled) / scale
    fisher -= np.outer(direction, pulled) + np.outer(pulled, direction)
    fisher += total * np.outer(direction, direction)
    across = (posterior.rows @ pulled.astype(np.float32)).astype(np.float64)  # (n,)
    posterior.observe(direction, share)
    left: Array = np.maximum(falls - 2 * share * across + total * share**2, 0)
    return left
