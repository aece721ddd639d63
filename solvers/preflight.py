"""What is wrong with a solver's settings that can be known before anything is solved."""

from collections.abc import Mapping, Sequence

from pools.errors import UsageError
from solvers.build import build
from solvers.openfoam.settings import OpenFOAMSettings
from solvers.settings import SolverSettings


def remarks(settings: SolverSettings) -> list[str]:
    """Return what need not be wrong but looks so, in words, of settings without problems."""
    if not isinstance(settings, OpenFOAMSettings):
        return []
    from solvers.openfoam import preflight  # OpenFOAM need not be there for the others

    return list(preflight.remarks(settings))


def problems(settings: SolverSettings, samples: Sequence[Mapping[str, float]] = ()) -> list[str]:
    """Return what is wrong, in words; nothing where a solve can be tried.

    Args:
        settings: the solver's.
        samples: parameters of a few samples, at which expressions must have a value.
    """
    found = []
    if isinstance(settings, OpenFOAMSettings):
        from solvers.openfoam import preflight  # OpenFOAM need not be there for the others

        found = list(preflight.problems(settings, samples))
    if found:
        return found
    try:
        solver = build(settings)
        _ = solver.fingerprint, solver.parameters, solver.quantities, solver.fields
    except UsageError as error:
        found.append(str(error))
    return found
