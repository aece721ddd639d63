"""The seam between the loop and any solver."""

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

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
