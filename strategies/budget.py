"""What a budget of solver seconds pays for, and how dear it is to spend it.

[Lee2020] E. H. Lee, V. Perrone, C. Archambeau and M. Seeger, Cost-aware Bayesian optimization,
arXiv:2003.10870, 2020.
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pools.pick import Pick
from strategies.stopping import StoppingSettings

Array = NDArray[np.float64]


def affordable(seconds: Array, budget_seconds: float) -> int:
    """Return how many samples a budget pays for, in the order given: at least one.

    Args:
        seconds: expected of each, the most wanted first, shape (k,).
        budget_seconds: what they may take together.
    """
    fitting = int(np.searchsorted(np.cumsum(seconds), budget_seconds, side="right"))
    return min(max(fitting, 1), len(seconds))


def within(budget_seconds: float, picks: Sequence[Pick], seconds: Array) -> list[int]:
    """Return which picks a budget pays for, in their own order.

    Each strategy gives up the last of its picks, in proportion to how many it made: none loses
    its share of the step because it was asked last.

    Args:
        budget_seconds: what they may take together.
        picks: of all strategies, those of each in the order of its choice.
        seconds: expected of each, shape (k,).
    """
    order = _by_turns(picks)
    return sorted(order[: affordable(seconds[order], budget_seconds)])


def budget_left(solver_seconds: float, settings: StoppingSettings) -> float:
    """Return the share of the solver seconds' budget that is not spent, from 1 to 0.

    As the exponent of the cost in an acquisition it asks for cheap samples while there is much to
    spend on, and for the best at the end [Lee2020]. Without a budget of seconds it is 0: then what
    is chosen does not depend on how fast a machine is.

    Args:
        solver_seconds: that were spent on training samples, and on those that failed.
        settings: the budgets.
    """
    if (total := settings.budget_solver_seconds) is None:
        return 0.0
    return max(total - solver_seconds, 0.0) / total


def _by_turns(picks: Sequence[Pick]) -> list[int]:
    """Return the picks' places with the strategies taking turns, the first of each first."""
    counts, made = Counter(pick.asked_by for pick in picks), Counter[str]()
    turns = []
    for place, pick in enumerate(picks):
        turns.append(((made[pick.asked_by] + 0.5) / counts[pick.asked_by], place))
        made[pick.asked_by] += 1
    return [place for _, place in sorted(turns)]
