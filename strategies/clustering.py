"""LCMD: the farthest point of the largest cluster, again and again.

[Holzmueller2023] D. Holzmüller, V. Zaverkin, J. Kästner and I. Steinwart, A framework and
benchmark for deep batch active learning for regression, JMLR 24(164), 2023.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from strategies.cover import Cover, Features, Indices

Mask = NDArray[np.bool_]

_AHEAD = 8  # picks that are foreseen, so that one pass over the features serves them all


@dataclass(frozen=True, slots=True, eq=False)
class ClusterPicks:
    """What was picked, in order.

    Attributes:
        indices: which candidates, shape (k,).
        members: candidates in the cluster that each was picked from, itself included, shape (k,).
        distances: squared distance to that cluster's centre, shape (k,); infinite without one.
    """

    indices: Indices
    members: Indices
    distances: Features


def largest_cluster_picks(
    candidates: Features, labelled: Features, k: int, weights: Features | None = None
) -> ClusterPicks:
    """Pick `k` candidates by largest cluster maximum distance, LCMD-TP [Holzmueller2023].

    Each candidate belongs to its nearest centre, among the labelled points and those picked
    before. The cluster of the largest sum of squared distances gives its farthest candidate;
    without any centre the candidate of largest norm is the first. Of equals the first wins.

    With weights, squared distances and norms count so many times; which centre is a candidate's
    nearest stays as it is.

    Args:
        candidates: features, shape (n, D).
        labelled: features, shape (m, D).
        k: how many, at most n.
        weights: how much each candidate counts, 0 or more, shape (n,); None is 1.
    """
    cover = Cover.of(candidates, labelled)
    is_open = np.ones(len(candidates), bool)
    indices, members = np.empty(k, np.intp), np.empty(k, np.intp)
    distances = np.empty(k, np.float32)
    for i in range(k):
        index = indices[i] = _pick(cover, _counted(cover, weights), is_open)
        members[i] = np.count_nonzero(cover.nearest == cover.nearest[index])
        distances[i] = cover.distances[index]
        if not cover.has_measured(index):
            ahead = min(_AHEAD, k - i)
            cover.measure(_foreseen(cover, _counted(cover, weights).copy(), is_open, ahead))
        cover.add(index)
        is_open[index] = False
    return ClusterPicks(indices, members, distances)


def _counted(cover: Cover, weights: Features | None) -> Features:
    """Return what counts of each candidate: its squared distance, or norm without centres."""
    counted = cover.distances if cover.centres else cover.norms
    return counted if weights is None else counted * weights


def _pick(cover: Cover, distances: Features, is_open: Mask) -> int:
    """Return the farthest open candidate of the largest cluster."""
    if cover.centres == 0:
        return int(distances.argmax())
    sizes = np.bincount(cover.nearest, distances)
    eligible = np.flatnonzero((sizes == sizes.max())[cover.nearest] & is_open)
    return int(eligible[distances[eligible].argmax()])


def _foreseen(cover: Cover, distances: Features, is_open: Mask, ahead: int) -> list[int]:
    """Return the next picks as if each took nothing but itself from its cluster.

    The first is right; the others are the right ones more often than not. The distances are
    overwritten.
    """
    is_open, foreseen = is_open.copy(), []
    for _ in range(ahead if cover.centres else 1):
        index = _pick(cover, distances, is_open)
        distances[index], is_open[index] = 0.0, False
        foreseen.append(index)
    return foreseen
