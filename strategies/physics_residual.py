"""Physics residual: where the predicted fields violate the governing equations most.

[Wu2023] C. Wu, M. Zhu, Q. Tan, Y. Kartha and L. Lu, A comprehensive study of non-adaptive and
residual-based adaptive sampling for physics-informed neural networks, Computer Methods in Applied
Mechanics and Engineering 403, 2023.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pools.errors import CampaignError
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


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluatedResidual:
    """An `Acquisition`: as `physics_residual`, where each residual costs a run of the solver.

    Attributes:
        residual: as of `physics_residual`; nan where it could not be evaluated.
        evaluated: candidates that it is evaluated at, drawn uniformly; at least as many as chosen.
        beta: exponent of the residual.
    """

    residual: Callable[[Array], Array]
    evaluated: int = 64
    beta: float = 1.0

    def __call__(
        self,
        candidates: Array,
        labelled: Array,
        learner: Learner,
        k: int,
        rng: np.random.Generator,
    ) -> Selection:
        """Choose `k` of the candidates.

        Raises:
            UsageError: too few candidates, or the solver evaluates no residuals.
            CampaignError: fewer than `k` residuals could be evaluated.
        """
        n = len(candidates)
        require_candidates(k, n)
        drawn = rng.choice(n, min(max(self.evaluated, k), n), replace=False)
        values = self.residual(candidates[drawn])
        known = np.isfinite(values)
        if known.sum() < k:
            raise CampaignError(
                f"acquisition 'physics_residual' was asked for {k} samples, but only "
                f"{known.sum()} of {len(drawn)} residuals could be evaluated; the log says why. "
                "Raise its evaluated, or query with hybrid"
            )
        drawn, values = drawn[known], values[known]
        chosen = physics_residual(
            candidates[drawn], labelled, learner, k, rng, residual=lambda _: values, beta=self.beta
        )
        return Selection(
            drawn[chosen.indices], probabilities=chosen.probabilities, reasons=chosen.reasons
        )
