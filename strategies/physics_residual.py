"""Physics residual: where the predicted fields violate the governing equations most.

[Wu2023] C. Wu, M. Zhu, Q. Tan, Y. Kartha and L. Lu, A comprehensive study of non-adaptive and
residual-based adaptive sampling for physics-informed neural networks, Computer Methods in Applied
Mechanics and Engineering 403, 2023.
"""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from strategies.acquisition import Selection, require_candidates
from strategies.sbal import gumbel_top_k, inclusion_probabilities, log_weights
from strategies.scores import checked_scores, largest, ranked_reasons
from surrogates.prediction import Learner

Array = NDArray[np.float64]


def physics_residual(
    candidates: Array,
    _labelled: Array,
    _learner: Learner,
    k: int,
    rng: np.random.Generator,
    *,
    residual: Callable[[Array], Array],
    beta: float = 1.0,
) -> Selection:
    """Draw `k` candidates without replacement, weighted by residual ** `beta` [Wu2023].

    `residual` gives the norm of the equations' residual at the predicted fields, shape (n, d) to
    (n,). `beta` = 0 is uniformly random; infinity takes the largest.
    """
    n = len(candidates)
    require_candidates(k, n)
    what = "acquisition 'physics_residual': the residual"
    scores = checked_scores(residual(candidates), n, what)
    if math.isinf(beta):
        chosen, odds = largest(scores, k), None
    else:
        weights = log_weights(scores, beta)
        chosen = gumbel_top_k(weights, k, rng)
        odds = inclusion_probabilities(weights, k)[chosen]
    return Selection(chosen, scores, odds, ranked_reasons(scores, chosen, "residual"))
