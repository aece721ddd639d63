"""From settings to a solver."""

from typing import assert_never

from solvers.protocol import Solver
from solvers.settings import AnalyticSettings, ChannelSettings, SolverSettings


def build(settings: SolverSettings) -> Solver:
    """Return the solver that these settings describe.

    Each implementation is imported when it is asked for: scikit-fem takes a third of a second.
    """
    match settings:
        case ChannelSettings():
            from solvers.channel import ChannelSolver

            return ChannelSolver(settings)
        case AnalyticSettings():
            from solvers.analytic import AnalyticSolver

            return AnalyticSolver(settings)
        case _:
            assert_never(settings)
