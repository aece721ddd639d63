"""One number per candidate: checked, ranked, and put in words."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pools.errors import CampaignError, UsageError

Array = NDArray[np.float64]
Indices = NDArray[np.intp]


def one_each(values: ArrayLike, n: int, what: str) -> Array:
    """Return one number per candidate, shape (n,).

    Raises:
        UsageError: there are more or fewer; `what` says of what.
    """
    numbers = np.asarray(values, np.float64)
    if numbers.shape != (n,):
        raise UsageError(
            f"{what} has shape {numbers.shape} for {n} candidates; return one number per "
            f"candidate, shape ({n},)"
        )
    return numbers


def checked_scores(values: ArrayLike, n: int, what: str) -> Array:
    """Return one score per candidate, shape (n,).

    Raises:
        UsageError: there are more or fewer.
        CampaignError: one is not finite, or below zero.
    """
    scores = one_each(values, n, what)
    if bad := np.flatnonzero(~(np.isfinite(scores) & (scores >= 0))).tolist():
        raise CampaignError(
            f"{what} is {scores[bad[0]]} at candidate {bad[0]} ({len(bad)} of {n} cannot be "
            "ranked); each must be finite and not below zero: look for what diverged, or query "
            "with random or sobol"
        )
    return scores


def largest(scores: Array, k: int) -> Indices:
    """Return the `k` largest, the largest first and the first of equals."""
    return np.argsort(-scores, kind="stable")[:k]


def ranked_reasons(scores: Array, chosen: Indices, what: str) -> tuple[str, ...]:
    """Say of each chosen candidate how its score compares with the pool's."""
    ranks = np.empty(len(scores), np.intp)
    ranks[largest(scores, len(scores))] = np.arange(1, len(scores) + 1)
    mean = scores.mean() if len(scores) else 0.0
    relative = scores[chosen] / mean if mean > 0 else np.ones(len(chosen))
    return tuple(
        f"{what} {ratio:.3g} times the pool's mean, rank {rank} of {len(scores)}"
        for ratio, rank in zip(relative, ranks[chosen], strict=True)
    )
