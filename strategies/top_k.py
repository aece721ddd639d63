"""Top-K: the candidates of which the learner is least sure.

[Krogh1995] A. Krogh and J. Vedelsby, Neural network ensembles, cross validation, and active
learning, NeurIPS 7, 1995.
"""

import numpy as np
from numpy.typing import NDArray

from strategies.acquisition import Selection, require_candidates, spread
from strategies.scores import largest, ranked_reasons
from surrogates.prediction import Learner

Array = NDArray[np.float64]


def top_k(
    candidates: Array, _labelled: Array, learner: Learner, k: int, _rng: np.random.Generator
) -> Selection:
    """Choose the `k` candidates of largest ensemble variance [Krogh1995]; ties by position."""
    require_candidates(k, len(candidates))
    scores = spread(learner, candidates, "top_k")
    chosen = largest(scores, k)
    return Selection(chosen, scores, reasons=ranked_reasons(scores, chosen, "variance"))
