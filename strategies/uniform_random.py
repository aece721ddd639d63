"""Random choice: the baseline that no other strategy may be compared without.

[Settles2009] B. Settles, Active learning literature survey, Computer Sciences Technical Report
1648, University of Wisconsin-Madison, 2009.
"""

import numpy as np
from numpy.typing import NDArray

from strategies.acquisition import Selection, require_candidates
from surrogates.prediction import Learner

Array = NDArray[np.float64]


def uniform_random(
    candidates: Array, _labelled: Array, _learner: Learner, k: int, rng: np.random.Generator
) -> Selection:
    """Choose `k` candidates uniformly at random, without replacement [Settles2009]."""
    n = len(candidates)
    require_candidates(k, n)
    chosen = rng.choice(n, k, replace=False)
    reasons = (f"drawn uniformly from {n} candidates",) * k
    return Selection(chosen, probabilities=np.full(k, k / max(n, 1)), reasons=reasons)
