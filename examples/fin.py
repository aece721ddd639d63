"""A solver of a user's own: the temperature along a cooling fin, by finite differences.

Any class with these members is a solver; nothing is inherited and nothing is registered. A
campaign file names it as `examples.fin:Fin` (see fin.yaml).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.linalg import solve_banded

from pools.errors import SolverError
from pools.outcome import Outcome
from pools.sample import Sample
from pools.solution import Field, Mesh, Quantity, Solution

THICKNESS = 0.002  # m
BASE = 80.0  # K above the air


@dataclass(frozen=True)
class Fin:
    """A straight fin, hot at its base and insulated at its tip, cooled by air on both sides.

    Attributes:
        cells: how many cells the fin is cut into.
    """

    cells: int = 64

    @property
    def fingerprint(self) -> str:
        return f"fin/1 cells={self.cells}"

    @property
    def parameters(self) -> Mapping[str, str]:
        return {"length": "m", "conductivity": "W/(m K)", "convection": "W/(m2 K)"}

    @property
    def quantities(self) -> Mapping[str, str]:
        return {"tip": "K", "heat": "W/m"}

    @property
    def fields(self) -> Mapping[str, str]:
        return {"temperature": "K"}

    def mesh(self, sample: Sample) -> Mesh:
        """Return the fin from the side, two points high."""
        x = np.linspace(0, sample.parameters["length"], self.cells + 1)
        points = np.concatenate([np.stack([x, 0 * x + y], axis=1) for y in (0.0, THICKNESS)])
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
        """Solve k t T'' = 2 h T for the temperature above the air.

        Raises:
            SolverError: the cells are too coarse for how fast the temperature falls.
        """
        length, conductivity, convection = (sample.parameters[name] for name in self.parameters)
        decay = np.sqrt(2 * convection / (conductivity * THICKNESS))  # 1/m
        step = length / self.cells
        if decay * step > 0.1:
            reason = f"{self.cells} cells are too few where the heat decays in {1 / decay:.2g} m"
            raise SolverError(Outcome.MESH, reason, directory)
        temperature = _temperature(self.cells, (decay * step) ** 2)
        gradient = (temperature[0] - temperature[1]) / step + decay**2 * BASE * step / 2
        return Solution(
            sample=sample,
            mesh=self.mesh(sample),
            fields={"temperature": Field(np.tile(temperature, 2), "K")},
            quantities={
                "tip": Quantity(float(temperature[-1]), "K"),
                "heat": Quantity(float(conductivity * THICKNESS * gradient), "W/m"),
            },
            provenance={"solver": self.fingerprint},
        )


def _temperature(cells: int, sink: float) -> np.ndarray:
    """Return the temperature at every node, shape (cells + 1,).

    Args:
        cells: how many.
        sink: heat loss of a cell over its conductance, dimensionless.
    """
    bands = np.zeros((3, cells))  # unknown are all nodes but the base
    bands[0, 1:], bands[1], bands[2, :-1] = -1, 2 + sink, -1
    bands[2, -2] = -2  # the insulated tip sees its neighbour mirrored
    right = np.zeros(cells)
    right[0] = BASE
    return np.concatenate([[BASE], solve_banded((1, 1), bands, right)])
