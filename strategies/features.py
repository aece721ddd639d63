"""What an acquisition asks of a learner's features, checked."""

from typing import get_args

import numpy as np
from numpy.typing import NDArray

from pools.errors import CampaignError, UsageError
from strategies.cover import Features
from surrogates.prediction import FeaturedLearner, FeatureKind, Learner

Array = NDArray[np.float64]


def features_of(
    learner: Learner, candidates: Array, labelled: Array, kind: FeatureKind, name: str
) -> tuple[Features, Features]:
    """Return features of candidates, shape (n, D), and of labelled points, shape (m, D).

    Args:
        learner: the surrogate.
        candidates: points, shape (n, d).
        labelled: points, shape (m, d).
        kind: which features.
        name: who asks, for errors.

    Raises:
        UsageError: the learner has no features, or not one row per point.
        CampaignError: a feature is not finite.
    """
    if kind not in get_args(FeatureKind):
        raise UsageError(
            f"acquisition {name!r} was given features={kind!r}; allowed are "
            f"{', '.join(get_args(FeatureKind))}"
        )
    if not isinstance(learner, FeaturedLearner):
        raise UsageError(
            f"acquisition {name!r} needs a learner with features(parameters, kind), which "
            f"{type(learner).__name__} lacks; add the method, or query with sbal, random or sobol"
        )
    of_candidates = _checked(learner.features(candidates, kind), len(candidates), name)
    of_labelled = _checked(learner.features(labelled, kind), len(labelled), name)
    if of_candidates.shape[1] != of_labelled.shape[1]:
        raise UsageError(
            f"acquisition {name!r} got {of_candidates.shape[1]} features of a candidate but "
            f"{of_labelled.shape[1]} of a labelled point; return as many for every call"
        )
    return of_candidates, of_labelled


def _checked(features: Features, n: int, name: str) -> Features:
    rows = np.asarray(features, np.float32)
    if rows.ndim != 2 or len(rows) != n:
        raise UsageError(
            f"acquisition {name!r} got features of shape {rows.shape} for {n} points; return one "
            f"row per point, shape ({n}, D)"
        )
    if not np.isfinite(rows.sum()) and (bad := np.flatnonzero(~np.isfinite(rows).all(1))).size:
        raise CampaignError(
            f"acquisition {name!r}: the learner's features are not finite at {bad.size} of {n} "
            f"points, first at {bad[0]}; its training diverged: lower its learning rate, or look "
            "for non-finite values in the training pool"
        )
    return rows
