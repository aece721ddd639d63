"""What a solver answered: mesh, fields with units, quantities of interest, cost, provenance."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from pools.sample import Sample

Array = NDArray[np.float64]

VTK_VERTEX = 1
VTK_QUAD = 9


@dataclass(frozen=True, slots=True, eq=False)
class Mesh:
    """An unstructured mesh in VTK's terms.

    Attributes:
        points: coordinates in metres, shape (p, 3).
        connectivity: point indices of all cells, one cell after the other.
        offsets: where each cell begins in `connectivity`, and its end; shape (cells + 1,).
        types: VTK cell type of each cell, shape (cells,).
        weights: each point's share of the domain's area or volume, summing to 1, shape (p,).
    """

    points: Array
    connectivity: NDArray[np.int64]
    offsets: NDArray[np.int64]
    types: NDArray[np.uint8]
    weights: Array

    @classmethod
    def of_quads(cls, points: Array, quads: NDArray[np.int64]) -> "Mesh":
        """Make a mesh of plane quadrilaterals.

        Args:
            points: coordinates in metres, shape (p, 2).
            quads: point indices of each cell, counter-clockwise, shape (cells, 4).
        """
        corners = points[quads]  # (cells, 4, 2)
        diagonals = corners[:, 2:] - corners[:, :2]  # (cells, 2, 2)
        areas = 0.5 * np.abs(_cross(diagonals))
        weights = np.bincount(quads.ravel(), np.repeat(areas / 4, 4), minlength=len(points))
        return cls(
            points=np.column_stack([points, np.zeros(len(points))]),  # (p, 3)
            connectivity=quads.ravel().astype(np.int64),
            offsets=np.arange(0, quads.size + 1, 4, dtype=np.int64),
            types=np.full(len(quads), VTK_QUAD, dtype=np.uint8),
            weights=weights / weights.sum(),
        )

    @classmethod
    def of_point(cls) -> "Mesh":
        """Make the mesh of a solver without fields: one vertex at the origin."""
        return cls(
            points=np.zeros((1, 3)),
            connectivity=np.zeros(1, dtype=np.int64),
            offsets=np.array([0, 1], dtype=np.int64),
            types=np.array([VTK_VERTEX], dtype=np.uint8),
            weights=np.ones(1),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Field:
    """A scalar field at the mesh's points, shape (p,), and its unit."""

    values: Array
    unit: str


@dataclass(frozen=True, slots=True)
class Quantity:
    """A quantity of interest and its unit."""

    value: float
    unit: str


@dataclass(frozen=True, slots=True)
class Cost:
    """What a solution cost.

    Attributes:
        wall_seconds: seconds that the solver ran.
        cpu_seconds: processor seconds of the solver and its children.
        peak_memory: largest resident size of any one process of the solver, in bytes.
    """

    wall_seconds: float = 0.0
    cpu_seconds: float = 0.0
    peak_memory: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Solution:
    """The answer to one sample.

    Attributes:
        sample: the question.
        mesh: where the fields live.
        fields: scalar fields by name; every solution of a campaign has the same names.
        quantities: quantities of interest by name; likewise.
        provenance: how the answer came about, as JSON: solver, versions, residuals, iterations.
        remark: what a person should know of it, in words; empty where there is nothing.
        grade: `converged` or `marginal` where the solver judges its answers; empty where not.
        evidence: what its judgement rests on and what it cost, as JSON. It goes into the sample's
            record and not into the solution's file: it may hold times, which differ each time.
    """

    sample: Sample
    mesh: Mesh
    fields: Mapping[str, Field]
    quantities: Mapping[str, Quantity]
    provenance: Mapping[str, Any] = field(default_factory=dict)
    remark: str = ""
    grade: str = ""
    evidence: Mapping[str, Any] = field(default_factory=dict)

    def in_order(self, quantities: Iterable[str], fields: Iterable[str]) -> Self:
        """Return the same answer with its quantities and fields in this order of names."""
        return replace(
            self,
            quantities={name: self.quantities[name] for name in quantities},
            fields={name: self.fields[name] for name in fields},
        )

    def stacked_fields(self, names: Iterable[str] | None = None) -> Array:
        """Return fields as columns, shape (p, c).

        Args:
            names: the fields, in column order; all of them in the solution's own order if None.
        """
        columns = [self.fields[name].values for name in (self.fields if names is None else names)]
        return np.column_stack(columns) if columns else np.empty((len(self.mesh.points), 0))


def _cross(pairs: Array) -> Array:
    """Return the plane cross product of each pair of vectors, shape (n, 2, 2) to (n,)."""
    return pairs[:, 0, 0] * pairs[:, 1, 1] - pairs[:, 0, 1] * pairs[:, 1, 0]
