"""Which level of the solver is asked at a point: what explains most of the fine error per second.

The members of an ensemble that learnt from all levels [Lakshminarayanan2017] differ at every
level. Where they differ alike, an answer of the cheaper level tells as much of the finest one; so
the part of the finest level's variance that a cheaper one explains, over its seconds, is what it
is worth, as in multi-fidelity optimisation [Huang2006]. Its regression on the finest level has one
slope for all points, as in [Kennedy2000]: of a few members, one for each would say too much.

[Lakshminarayanan2017] B. Lakshminarayanan, A. Pritzel and C. Blundell, Simple and scalable
predictive uncertainty estimation using deep ensembles, NeurIPS 2017.
[Kennedy2000] M. C. Kennedy and A. O'Hagan, Predicting the output from a complex computer code when
fast approximations are available, Biometrika 87(1), 2000.
[Huang2006] D. Huang, T. T. Allen, W. I. Notz and R. A. Miller, Sequential kriging optimization
using multiple-fidelity evaluations, Structural and Multidisciplinary Optimization 32, 2006.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from surrogates.prediction import LevelLearner

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class LevelChoice:
    """The level of each of `k` points.

    Attributes:
        below: how many levels below the finest, shape (k,).
        explained: share of the finest level's variance that each level explains, the finest
            first, which explains all, shape (levels, k).
    """

    below: NDArray[np.intp]
    explained: Array


def choose_levels(
    learner: LevelLearner, points: Array, seconds: Sequence[float], share: float, allowed: Array
) -> LevelChoice:
    """Choose the level to ask at each point.

    Args:
        learner: what learnt from all levels.
        points: in their own units, shape (k, d).
        seconds: of a sample at each level, the finest first.
        share: least part of the points that is asked of the finest level; those for which a
            cheaper one is worth least.
        allowed: which levels may be asked at each point, shape (levels, k); the finest may always.
    """
    explained = explained_by_level(learner, points, len(seconds))
    worth = np.where(allowed, explained * seconds[0] / np.asarray(seconds)[:, None], -np.inf)
    best, below = worth.max(axis=0), worth.argmax(axis=0)
    finest = np.argsort(best, kind="stable")[: math.ceil(share * len(points) - 1e-9)]
    below[finest] = 0
    return LevelChoice(below, explained)


def explained_by_level(learner: LevelLearner, points: Array, levels: int) -> Array:
    """Return the share of the finest level's variance that each level explains, (levels, k)."""
    finest = _centred(learner.at(0).members(points))
    total = _summed(finest, finest)  # (k,)
    rows = [np.ones(len(points))]
    for below in range(1, levels):
        cheaper = _centred(learner.at(below).members(points))
        own, common = _summed(cheaper, cheaper), _summed(cheaper, finest)
        slope = common.sum() / max(own.sum(), np.finfo(float).tiny)
        left = slope * (2 * common - slope * own)  # of what the regression explains, (k,)
        rows.append(np.clip(left / np.maximum(total, np.finfo(float).tiny), 0, 1))
    return np.stack(rows)


def _centred(members: Array) -> Array:
    """Return the members' outputs less their mean, shape (e, k, outputs)."""
    centred: Array = members - members.mean(axis=0)
    return centred


def _summed(one: Array, other: Array) -> Array:
    """Return the covariance over members, summed over outputs, (e, k, outputs) to (k,)."""
    products: Array = np.einsum("eko,eko->k", one, other) / (len(one) - 1)
    return products
