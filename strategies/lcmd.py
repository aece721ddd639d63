"""LCMD as an acquisition: a batch that covers what the labelled points leave far away.

[Holzmueller2023] D. Holzmüller, V. Zaverkin, J. Kästner and I. Steinwart, A framework and
benchmark for deep batch active learning for regression, JMLR 24(164), 2023.
[Musekamp2024] D. Musekamp et al., Active learning for neural PDE solvers (AL4PDE),
arXiv:2408.01536, 2024.
"""

import numpy as np
from numpy.typing import NDArray

from strategies.acquisition import Selection, require_candidates
from strategies.clustering import ClusterPicks, largest_cluster_picks
from strategies.features import features_of
from surrogates.prediction import FeatureKind, Learner

Array = NDArray[np.float64]


def lcmd(
    candidates: Array,
    labelled: Array,
    learner: Learner,
    k: int,
    _rng: np.random.Generator,
    *,
    features: FeatureKind = "gradients",
) -> Selection:
    """Choose the farthest point of the largest cluster, `k` times [Holzmueller2023].

    With sketched gradients as features it was the best of the methods that its paper and
    [Musekamp2024] compare; with `ensemble`, points are alike where all members agree that they
    are.
    """
    require_candidates(k, len(candidates))
    picks = largest_cluster_picks(*features_of(learner, candidates, labelled, features, "lcmd"), k)
    return Selection(picks.indices, reasons=cluster_reasons(picks))


def cluster_reasons(picks: ClusterPicks) -> tuple[str, ...]:
    """Say of each pick which cluster it is from."""
    return tuple(
        f"farthest of the largest cluster (cluster of {members})"
        if np.isfinite(distance)
        else "largest norm of the features, nothing being labelled"
        for members, distance in zip(picks.members.tolist(), picks.distances, strict=True)
    )
