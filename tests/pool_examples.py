"""Small solutions for tests of what holds them."""

import numpy as np

from pools.sample import Sample
from pools.solution import Field, Mesh, Quantity, Solution


def grid(nx: int = 4, ny: int = 3) -> Mesh:
    """Return a mesh of unit squares with (nx + 1)(ny + 1) points."""
    x, y = np.meshgrid(np.arange(nx + 1.0), np.arange(ny + 1.0))
    corner = (np.arange(ny)[:, None] * (nx + 1) + np.arange(nx)).ravel()
    quads = np.stack([corner, corner + 1, corner + nx + 2, corner + nx + 1], axis=1)
    return Mesh.of_quads(np.column_stack([x.ravel(), y.ravel()]), quads)


def solution(x: float, y: float = 0.0, mesh: Mesh | None = None) -> Solution:
    """Return a solution whose every number depends on its parameters."""
    mesh = mesh or grid()
    ramp = mesh.points[:, 0] * x + mesh.points[:, 1] * y
    return Solution(
        sample=Sample.of({"x": x, "y": y}, "test"),
        mesh=mesh,
        fields={"u": Field(ramp, "m/s"), "p": Field(ramp**2, "m2/s2")},
        quantities={"drag": Quantity(x + 10 * y, "1")},
        provenance={"solver": "test", "iterations": 3, "residuals": [1.0, 1e-9]},
    )
