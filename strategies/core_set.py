"""Core-set: the candidate that is farthest from all centres, again and again.

[Sener2018] O. Sener and S. Savarese, Active learning for convolutional neural networks: a core-set
approach, ICLR 2018.
[Gonzalez1985] T. F. Gonzalez, Clustering to minimize the maximum intercluster distance,
Theoretical Computer Science 38, 1985.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from strategies.acquisition import Selection, require_candidates
from strategies.cover import Cover, Features, Indices
from strategies.features import features_of
from surrogates.prediction import FeatureKind, Learner

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class FarthestPicks:
    """What was picked, in order.

    Attributes:
        indices: which candidates, shape (k,).
        distances: distance to the nearest centre when it was picked, shape (k,); infinite without.
        before: distance of every candidate to the nearest labelled point, shape (n,).
    """

    indices: Indices
    distances: Array
    before: Array


def core_set(
    candidates: Array,
    labelled: Array,
    learner: Learner,
    k: int,
    _rng: np.random.Generator,
    *,
    features: FeatureKind = "gradients",
) -> Selection:
    """Choose greedily the farthest candidates from what is labelled or chosen [Sener2018]."""
    require_candidates(k, len(candidates))
    picks = farthest_picks(*features_of(learner, candidates, labelled, features, "core_set"), k)
    return Selection(picks.indices, reasons=farthest_reasons(picks, features))


def farthest_picks(candidates: Features, labelled: Features, k: int) -> FarthestPicks:
    """Pick `k` centres by the greedy 2-approximation of the k-centre problem [Gonzalez1985].

    Without any centre the candidate of largest norm is the first; of equals the first wins.

    Args:
        candidates: features, shape (n, D).
        labelled: features, shape (m, D).
        k: how many, at most n.
    """
    cover = Cover.of(candidates, labelled)
    before = np.sqrt(cover.distances.astype(np.float64))
    is_open = np.ones(len(candidates), bool)
    indices, distances = np.empty(k, np.intp), np.empty(k)
    for i in range(k):
        wanted = cover.distances if cover.centres else cover.norms
        index = indices[i] = int(np.where(is_open, wanted, -1.0).argmax())
        distances[i] = np.sqrt(cover.distances[index])
        cover.measure([index])
        cover.add(index)
        is_open[index] = False
    return FarthestPicks(indices, distances, before)


def farthest_reasons(picks: FarthestPicks, kind: FeatureKind) -> tuple[str, ...]:
    """Say of each pick how far it was from everything before."""
    return tuple(
        f"farthest in {kind}: {distance:.3g} from the nearest labelled or chosen"
        if np.isfinite(distance)
        else f"largest norm in {kind}, nothing being labelled"
        for distance in picks.distances.tolist()
    )
