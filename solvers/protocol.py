"""The seam between the loop and any solver."""

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from pools.errors import UsageError
from pools.sample import Sample
from pools.solution import Mesh, Solution


class Solver(Protocol):
    """Answers samples. A class with these members is enough: nothing to inherit or register."""

    @property
    def fingerprint(self) -> str:
        """Identity of solver, template and numerics: what else decides the answer to a sample."""
        ...

    @property
    def parameters(self) -> Mapping[str, str]:
        """Unit of each parameter by name: what every sample must have, no more and no less."""
        ...

    @property
    def quantities(self) -> Mapping[str, str]:
        """Unit of each quantity of interest by name: what every solution has."""
        ...

    @property
    def fields(self) -> Mapping[str, str]:
        """Unit of each field by name, in the order of every solution's; empty without fields."""
        ...

    def solve(
        self, sample: Sample, directory: Path, *, initial: Solution | None = None
    ) -> Solution:
        """Answer one sample.

        Args:
            sample: the design point.
            directory: an existing directory of this attempt's own, for whatever the solver writes.
            initial: a solution of another sample to start from, on a mesh of the same topology.

        Raises:
            SolverError: there is no solution; it says why and where the evidence is.
        """
        ...

    def mesh(self, sample: Sample) -> Mesh:
        """Return the mesh that `solve` would answer on, without solving."""
        ...


@runtime_checkable
class ResidualSolver(Solver, Protocol):
    """A solver that can say how far fields are from solving its equations, for less than a solve.

    Optional: query strategies that ask for the physics residual need it, and nothing else does.
    """

    def residual(self, sample: Sample, fields: NDArray[np.float64], directory: Path) -> float:
        """Return how far fields are from the solution of a sample: 0 for the solution, no unit.

        Args:
            sample: the design point.
            fields: at the points of the sample's mesh, in the order of `fields`, shape (p, c).
            directory: an existing, empty directory of this evaluation's own, removed afterwards.

        Raises:
            SolverError: it cannot be evaluated there.
            UsageError: the fields are not such as this solver answers.
        """
        ...


def residual_solver(solver: Solver) -> ResidualSolver:
    """Return the solver if it evaluates residuals.

    Raises:
        UsageError: it does not.
    """
    if isinstance(solver, ResidualSolver):
        return solver
    raise UsageError(
        f"the solver {solver.fingerprint!r} has no residual of predicted fields; solvers of kind "
        "channel and openfoam have, and any class with a method residual(sample, fields, "
        "directory): add it to yours, or query with hybrid, which needs none"
    )
