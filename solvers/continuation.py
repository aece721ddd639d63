"""Continuation in Reynolds number: reach a flow that a start from rest does not [Allgower1990].

[Allgower1990] E. L. Allgower, K. Georg, Numerical Continuation Methods, Springer, 1990.
"""

import math
from collections.abc import Callable

from pools.outcome import Outcome
from solvers.navier_stokes import Array, Iterations

_FIRST = 20.0  # the highest Reynolds number to begin at
_LEAST_RATIO = 1.002  # of one Reynolds number to the last, below which the path is given up
_ROUND_UP = 1 + 1e-12  # so that a last step ends at the target, not a rounding error before it


def follow(solve: Callable[[float, Array | None], Iterations], target: float) -> Iterations:
    """Climb to a Reynolds number by ratios that grow on success and shrink on failure.

    Args:
        solve: iterates at a Reynolds number, from a state or (None) from rest.
        target: the Reynolds number to reach.

    Returns:
        The iterations at the target, or the last ones that failed.
    """
    reynolds = min(_FIRST, target / 2)
    last, ratio = solve(reynolds, None), target / reynolds
    if last.outcome is not Outcome.OK:
        return last
    found = [(reynolds, last.state)]
    while found[-1][0] < target and ratio > _LEAST_RATIO:
        at = found[-1][0]
        reynolds = min(at * ratio * _ROUND_UP, target)
        last = solve(reynolds, _predict(found, reynolds))
        if last.outcome is Outcome.OK:
            found.append((reynolds, last.state))
            ratio = ratio**1.5
        else:
            ratio = math.sqrt(reynolds / at)
    return last


def _predict(found: list[tuple[float, Array]], reynolds: float) -> Array:
    """Extrapolate the last two flows in the logarithm of Re, or return the only one."""
    at, newer = found[-1]
    if len(found) == 1:
        return newer
    before, older = found[-2]
    return newer + math.log(reynolds / at) / math.log(at / before) * (newer - older)
