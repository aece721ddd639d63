"""How much the variance counts: not while the ensemble knows little, or what it has earned.

[Spearman1904] C. Spearman, The proof and measurement of association between two things, American
Journal of Psychology 15(1), 1904.
"""

import numpy as np
from numpy.typing import NDArray

from pools.errors import UsageError

Array = NDArray[np.float64]

_LATER = 0.5  # 1 was no better on the seeds that it was chosen with: see docs/efficiency.md
_LEAST = 3  # pairs that a rank correlation needs


def scheduled_exponent(step: int) -> float:
    """Return 0 at step 0 and 0.5 from then on."""
    return _LATER if step > 0 else 0.0


def measured_exponent(uncertainties: Array, errors: Array) -> float:
    """Return the rank correlation of uncertainty and error [Spearman1904], at least 0.

    Without at least three pairs, or where one of both is constant, nothing is measured: 0.

    Args:
        uncertainties: the learner's variance at points that it had not learnt, shape (n,).
        errors: what it erred there, shape (n,).

    Raises:
        UsageError: there are not as many errors as uncertainties.
    """
    if uncertainties.shape != errors.shape or uncertainties.ndim != 1:
        raise UsageError(
            f"an exponent was to be measured from uncertainties of shape {uncertainties.shape} "
            f"and errors of shape {errors.shape}; give one of each per sample"
        )
    constant = len(errors) < _LEAST or np.ptp(uncertainties) == 0 or np.ptp(errors) == 0
    if constant:
        return 0.0
    from scipy.stats import rankdata  # a second to load, which not every process needs

    rank_correlation = np.corrcoef(rankdata(uncertainties), rankdata(errors))[0, 1]
    return float(np.clip(rank_correlation, 0.0, 1.0))
