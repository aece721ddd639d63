"""A solver of a user's own: the bending of a cantilever beam, by finite differences.

Any class with these members is a solver; nothing is inherited and nothing is registered. A
campaign file names it as `examples.cantilever:Cantilever` (see cantilever.yaml).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pools.errors import SolverError
from pools.outcome import Outcome
from pools.sample import Sample
from pools.solution import Field, Mesh, Quantity, Solution

YOUNG = 210e9  # steel, Pa


@dataclass(frozen=True)
class Cantilever:
    """A steel beam of square section under its own line load, clamped at one end.

    Attributes:
        cells: how many cells the beam is cut into.
    """

    cells: int = 64

    @property
    def fingerprint(self) -> str:
        return f"cantilever/1 cells={self.cells}"

    @property
    def parameters(self) -> Mapping[str, str]:
        return {"length": "m", "side": "m", "load": "N/m"}

    @property
    def quantities(self) -> Mapping[str, str]:
        return {"tip": "m", "stress": "Pa"}

    @property
    def fields(self) -> Mapping[str, str]:
        return {"deflection": "m"}

    def mesh(self, sample: Sample) -> Mesh:
        """Return the beam's side, two points high."""
        x = np.linspace(0, sample.parameters["length"], self.cells + 1)
        height = sample.parameters["side"]
        points = np.concatenate([np.stack([x, 0 * x + y], axis=1) for y in (0.0, height)])
        left = np.arange(self.cells)
        quads = np.stack([left, left + 1, left + self.cells + 2, left + self.cells + 1], axis=1)
        return Mesh.of_quads(points, quads)

    def solve(
        self,
        sample: Sample,
        directory: Path,
        *,
        initial: Solution | None = None,  # noqa: ARG002 - it needs none
    ) -> Solution:
        """Integrate the bending moment twice along the beam."""
        length, side, load = (sample.parameters[name] for name in self.parameters)
        inertia = side**4 / 12
        x = np.linspace(0, length, self.cells + 1)
        curvature = load * (length - x) ** 2 / (2 * YOUNG * inertia)
        deflection = _integral(_integral(curvature, x), x)
        if deflection[-1] > length / 10:
            raise SolverError(Outcome.DIVERGED, "it bends too far for linear theory", directory)
        return Solution(
            sample=sample,
            mesh=self.mesh(sample),
            fields={"deflection": Field(np.tile(deflection, 2), "m")},
            quantities={
                "tip": Quantity(float(deflection[-1]), "m"),
                "stress": Quantity(load * length**2 / 2 * (side / 2) / inertia, "Pa"),
            },
            provenance={"solver": self.fingerprint},
        )


def _integral(values: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Integrate from the clamp by the trapezoidal rule, shape (cells + 1,)."""
    steps = np.diff(x) * (values[1:] + values[:-1]) / 2
    return np.concatenate([[0.0], np.cumsum(steps)])
