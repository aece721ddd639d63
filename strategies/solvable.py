"""What a candidate's weight is made of beside uncertainty: its chance to be solved, its cost."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from pools.errors import CampaignError
from strategies.scores import one_each

Array = NDArray[np.float64]
Estimator = Callable[[Array], Array]
"""Says something of points: shape (n, d) to (n,)."""


def chances(estimator: Estimator, candidates: Array, name: str) -> Array:
    """Return the probability that the solver succeeds at each candidate, shape (n,), checked.

    Raises:
        UsageError: not one number per candidate.
        CampaignError: one of them is no probability.
    """
    values = one_each(estimator(candidates), len(candidates), f"acquisition {name!r}: feasibility")
    if bad := np.flatnonzero(~((values >= 0) & (values <= 1))).tolist():
        raise CampaignError(
            f"acquisition {name!r}: feasibility is {values[bad[0]]} at candidate {bad[0]}; it is "
            "a probability, from 0 to 1"
        )
    return values


def seconds(estimator: Estimator, candidates: Array, name: str) -> Array:
    """Return the seconds that the solver is expected to take, shape (n,), checked.

    Raises:
        UsageError: not one number per candidate.
        CampaignError: one of them is not finite and above zero.
    """
    values = one_each(estimator(candidates), len(candidates), f"acquisition {name!r}: cost")
    if bad := np.flatnonzero(~((values > 0) & np.isfinite(values))).tolist():
        raise CampaignError(
            f"acquisition {name!r}: cost is {values[bad[0]]} at candidate {bad[0]}; it is seconds "
            "of the solver, finite and above zero"
        )
    return values


def require_feasible(k: int, feasible: int, n: int, floor: float, name: str) -> None:
    """Check that `k` samples can be chosen from those that will probably be solved.

    Raises:
        CampaignError: they cannot.
    """
    if k > feasible:
        raise CampaignError(
            f"acquisition {name!r} was asked for {k} samples but {feasible} of {n} candidates are "
            f"solved with a probability of at least {floor:g}; lower the floor, enlarge the pool, "
            "narrow the parameters' bounds, or query with random or sobol, which ignore it"
        )
