"""Top-K: the candidates of which the learner is least sure.

[Krogh1995] A. Krogh and J. Vedelsby, Neural network ensembles, cross validation, and active
learning, NeurIPS 7, 1995.
"""

import numpy as np
from numpy.typing import NDArray

from strategies.acquisition import Indices, Selection, require_candidates, spread
from surrogates.prediction import Learner

Array = NDArray[np.float64]


def top_k(
    candidates: Array, _labelled: Array, learner: Learner, k: int, _rng: np.random.Generator
) -> Selection:
    """Choose the `k` candidates of largest ensemble variance [Krogh1995]; ties by position."""
    require_candidates(k, len(candidates))
    scores = spread(learner, candidates)
    chosen = np.argsort(-scores, kind="stable")[:k]
    return Selection(chosen, scores, reasons=variance_reasons(scores, chosen))


def variance_reasons(scores: Array, chosen: Indices) -> tuple[str, ...]:
    """Say of each chosen candidate how its variance compares with the pool's."""
    ranks = np.empty(len(scores), np.intp)
    ranks[np.argsort(-scores, kind="stable")] = np.arange(1, len(scores) + 1)
    relative = scores[chosen] / scores.mean() if len(scores) else scores
    return tuple(
        f"variance {ratio:.3g} times the pool's mean, rank {rank} of {len(scores)}"
        for ratio, rank in zip(relative, ranks[chosen], strict=True)
    )
