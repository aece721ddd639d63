"""From settings to a solver."""

import importlib
from typing import assert_never

from pools.errors import UsageError
from solvers.command_settings import CommandSettings
from solvers.openfoam.settings import OpenFOAMSettings
from solvers.protocol import Solver
from solvers.settings import (
    AnalyticSettings,
    ChannelSettings,
    CombinedSettings,
    CustomSettings,
    SolverSettings,
)


def build(settings: SolverSettings) -> Solver:
    """Return the solver that these settings describe.

    Each implementation is imported when it is asked for: scikit-fem takes a third of a second, VTK
    more.
    """
    match settings:
        case ChannelSettings():
            from solvers.channel import ChannelSolver

            return ChannelSolver(settings)
        case AnalyticSettings():
            from solvers.analytic import AnalyticSolver

            return AnalyticSolver(settings)
        case CombinedSettings():
            from solvers.combined import CombinedSolver

            return CombinedSolver(settings)
        case CommandSettings():
            from solvers.command import CommandSolver

            return CommandSolver.of(settings)
        case OpenFOAMSettings():
            from solvers.openfoam.solver import OpenFOAMSolver

            return OpenFOAMSolver(settings)
        case CustomSettings():
            return _import(settings)
        case _:
            assert_never(settings)


def _import(settings: CustomSettings) -> Solver:
    module, _, name = settings.factory.partition(":")
    try:
        factory = getattr(importlib.import_module(module), name)
        solver: Solver = factory(**settings.options)
    except Exception as error:
        raise UsageError(
            f"solver.factory is {settings.factory!r}, which cannot be used: "
            f"{type(error).__name__}: {error}; give the package.module:name of a class that is "
            "importable here and takes solver.options"
        ) from error
    return solver
