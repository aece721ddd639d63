"""Training pools of smooth fields over two parameters, for the tests of surrogates."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pools.parameter import Parameter
from pools.sample import Sample
from pools.shard import write_shard
from pools.solution import Field, Mesh, Quantity, Solution
from pools.space import ParameterSpace
from pools.training import TrainingPool
from surrogates.settings import EnsembleSettings, Schedule

Array = NDArray[np.float64]

# Names out of alphabetical order: what keeps columns in order must not sort them.
SPACE = ParameterSpace(
    {
        "speed": Parameter(low=1.0, high=100.0, scale="log", unit="m/s"),
        "angle": Parameter(low=-1.0, high=1.0, unit="rad"),
    }
)
QUICK = EnsembleSettings(
    retrain="fine_tune",
    members=3,
    width=16,
    depth=2,
    initial=Schedule(kind="cosine", start=3e-3, end=1e-5, length=60),
    fine_tune=Schedule(kind="exponential", start=5e-4, end=5e-6, length=20),
)


def grid(side: int = 8) -> Mesh:
    """Return a mesh of `side` by `side` cells that grow along x."""
    x, y = np.meshgrid(np.linspace(0, 1, side + 1) ** 2, np.linspace(0, 1, side + 1))
    corner = (np.arange(side)[:, None] * (side + 1) + np.arange(side)).ravel()
    quads = np.stack([corner, corner + 1, corner + side + 2, corner + side + 1], axis=1)
    return Mesh.of_quads(np.column_stack([x.ravel(), y.ravel()]), quads)


def solution(row: Array, mesh: Mesh, *, fields: bool = True, quantities: bool = True) -> Solution:
    """Return a solution; `wall` and `depth` do not depend on the parameters."""
    s, t = SPACE.normalise(row[None])[0]
    x, y = mesh.points[:, 0], mesh.points[:, 1]
    values = {
        "u": Field(np.exp(-((x - s) ** 2) - (y - t) ** 2) * (1 + s), "m/s"),
        "p": Field(1e5 + 300 * np.sin(2 * x + 3 * s * y) * t, "Pa"),
        "depth": Field(np.full(len(x), 7.25), "m"),
    }
    answers = {
        "lift": Quantity(float(np.sin(2 * t) * (1 + s)), "N"),
        "drag": Quantity(float(100 + s**2 - s * t), "N"),
        "wall": Quantity(0.1, "m"),
    }
    return Solution(
        sample=Sample.of(dict(zip(SPACE.names, row.tolist(), strict=True)), "test"),
        mesh=mesh,
        fields=values if fields else {},
        quantities=answers if quantities else {},
    )


def pool(
    directory: Path, rows: Array, *, fields: bool = True, quantities: bool = True
) -> TrainingPool:
    """Write and open a pool of these samples, shape (m, d)."""
    mesh = grid() if fields else Mesh.of_point()
    return _open(
        directory / "shard.h5",
        [solution(row, mesh, fields=fields, quantities=quantities) for row in rows],
    )


def pool_of_fields(directory: Path, snapshots: Array, mesh: Mesh) -> TrainingPool:
    """Write and open a pool of given fields, shape (m, p, c)."""
    m, _, c = snapshots.shape
    return _open(
        directory / "shard.h5",
        [
            Solution(
                sample=Sample.of({"speed": 1.0 + i, "angle": 0.0}, "test"),
                mesh=mesh,
                fields={f"f{j}": Field(snapshots[i, :, j], "1") for j in range(c)},
                quantities={"index": Quantity(float(i), "1")},
            )
            for i in range(m)
        ],
    )


def _open(path: Path, solutions: Sequence[Solution]) -> TrainingPool:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_shard(path, solutions, SPACE.names)
    return TrainingPool([path])
