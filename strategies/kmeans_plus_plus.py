"""k-means++: candidates drawn in proportion to their squared distance from all centres.

[Arthur2007] D. Arthur and S. Vassilvitskii, k-means++: the advantages of careful seeding, SODA
2007.
[Ash2020] J. T. Ash et al., Deep batch active learning by diverse, uncertain gradient lower bounds
(BADGE), ICLR 2020.
"""

import numpy as np
from numpy.typing import NDArray

from strategies.acquisition import Selection, require_candidates
from strategies.cover import Cover, Features, Indices
from strategies.features import features_of
from surrogates.prediction import FeatureKind, Learner

Array = NDArray[np.float64]


def kmeans_plus_plus(
    candidates: Array,
    labelled: Array,
    learner: Learner,
    k: int,
    rng: np.random.Generator,
    *,
    features: FeatureKind = "gradients",
) -> Selection:
    """Draw `k` candidates by D^2 sampling [Arthur2007], which in gradients is BADGE [Ash2020].

    Unlike BADGE it goes on from the labelled points, whose neighbourhood is not drawn again.
    """
    require_candidates(k, len(candidates))
    both = features_of(learner, candidates, labelled, features, "kmeans_plus_plus")
    chosen, chances = seeded_picks(*both, k, rng)
    reasons = tuple(
        f"drawn by squared distance in {features}, with chance {chance:.2g} at its turn"
        for chance in chances.tolist()
    )
    return Selection(chosen, reasons=reasons)


def seeded_picks(
    candidates: Features, labelled: Features, k: int, rng: np.random.Generator
) -> tuple[Indices, Array]:
    """Draw `k` of the candidates, and return each one's chance at its turn, both of shape (k,).

    The draw is uniform while there is no centre, and where all that is left equals one.

    Args:
        candidates: features, shape (n, D).
        labelled: features, shape (m, D).
        k: how many, at most n.
        rng: the source of random numbers.
    """
    cover = Cover.of(candidates, labelled)
    is_open = np.ones(len(candidates), bool)
    chosen, chances = np.empty(k, np.intp), np.empty(k)
    for i in range(k):
        weights = _weights(cover, is_open)
        index = chosen[i] = int(rng.choice(len(weights), p=weights))
        chances[i] = weights[index]
        cover.measure([index])
        cover.add(index)
        is_open[index] = False
    return chosen, chances


def _weights(cover: Cover, is_open: NDArray[np.bool_]) -> Array:
    weights: Array = is_open.astype(np.float64)
    if cover.centres and (cover.distances[is_open] > 0).any():
        weights *= cover.distances
    weights /= weights.sum()
    return weights
