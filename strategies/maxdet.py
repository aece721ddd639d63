"""MaxDet: the batch whose answers a Gaussian process is least sure of together.

[Kirsch2019] A. Kirsch, J. van Amersfoort and Y. Gal, BatchBALD: efficient and diverse batch
acquisition for deep Bayesian active learning, NeurIPS 2019.
[Holzmueller2023] D. Holzmüller, V. Zaverkin, J. Kästner and I. Steinwart, A framework and
benchmark for deep batch active learning for regression, JMLR 24(164), 2023.
"""

import numpy as np
from numpy.typing import NDArray

from strategies.acquisition import Selection, require_candidates
from strategies.cover import Features, Indices
from strategies.features import features_of
from strategies.posterior import Posterior
from surrogates.prediction import FeatureKind, Learner

Array = NDArray[np.float64]


def maxdet(
    candidates: Array,
    labelled: Array,
    learner: Learner,
    k: int,
    _rng: np.random.Generator,
    *,
    features: FeatureKind = "gradients",
    sigma: float = 0.01,
) -> Selection:
    """Choose greedily by variance given all before: BatchBALD for regression [Kirsch2019].

    `sigma` is the noise of an answer, relative to the prior's standard deviation.
    """
    require_candidates(k, len(candidates))
    both = features_of(learner, candidates, labelled, features, "maxdet")
    chosen, variances = conditional_variance_picks(*both, k, sigma)
    reasons = tuple(
        f"largest variance given all before: {variance:.3g} of the prior's"
        for variance in variances.tolist()
    )
    return Selection(chosen, reasons=reasons)


def conditional_variance_picks(
    candidates: Features, labelled: Features, k: int, sigma: float
) -> tuple[Indices, Array]:
    """Pick `k` by largest variance, each observed before the next, of kernel x.y + sigma^2.

    It is the greedy choice for the determinant of the batch's covariance [Holzmueller2023].

    Args:
        candidates: features, shape (n, D).
        labelled: features, shape (m, D).
        k: how many, at most n.
        sigma: standard deviation of the noise, relative to the prior's.

    Returns:
        Which, and the variance of each at its turn, both of shape (k,).
    """
    posterior = Posterior.of(candidates, labelled, sigma)
    is_open = np.ones(len(candidates), bool)
    chosen, variances = np.empty(k, np.intp), np.empty(k)
    for i in range(k):
        index = chosen[i] = int(np.where(is_open, posterior.variances, -1.0).argmax())
        variances[i] = posterior.variances[index]
        posterior.observe(*posterior.gain(index))
        is_open[index] = False
    return chosen, variances
