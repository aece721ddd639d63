"""Meshes of cells of one shape, and each point's share of their length, area or volume."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from pools.solution import VTK_QUAD, VTK_VERTEX, Mesh

Array = NDArray[np.float64]
Indices = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Shape:
    """A shape of cells.

    Attributes:
        vtk: VTK's number of it, which also says in which order its corners come.
        corners: how many.
        simplices: its parts, as lines, triangles or tetrahedra between corners.
    """

    vtk: int
    corners: int
    simplices: tuple[tuple[int, ...], ...]


_AROUND_DIAGONAL = tuple((0, a, b, 6) for a, b in pairwise((1, 2, 3, 7, 4, 5, 1)))

SHAPES: Mapping[str, Shape] = {
    "vertex": Shape(VTK_VERTEX, 1, ((0,),)),
    "line": Shape(3, 2, ((0, 1),)),
    "triangle": Shape(5, 3, ((0, 1, 2),)),
    "quad": Shape(VTK_QUAD, 4, ((0, 1, 2), (0, 2, 3))),
    "tetra": Shape(10, 4, ((0, 1, 2, 3),)),
    "hexahedron": Shape(12, 8, _AROUND_DIAGONAL),
}

_OF_GRID = ("line", "quad", "hexahedron")  # by the number of directions


def mesh_of_cells(points: Array, cells: Indices, shape: str) -> Mesh:
    """Make a mesh.

    Args:
        points: coordinates in metres, shape (p, 1), (p, 2) or (p, 3).
        cells: point indices of each cell, in VTK's order of corners, shape (cells, corners).
        shape: name of the cells' shape, a key of `SHAPES`.

    Raises:
        ValueError: the cells have no length, area or volume.
    """
    kind = SHAPES[shape]
    points = np.pad(points, ((0, 0), (0, 3 - points.shape[1])))  # (p, 3)
    measures = sum(_measures(points[cells[:, part]]) for part in kind.simplices)  # (cells,)
    weights = np.bincount(cells.ravel(), np.repeat(measures, kind.corners), len(points))
    if not weights.sum() > 0:
        raise ValueError(f"the mesh's {len(cells)} cells ({shape}) have no size")
    return Mesh(
        points=points,
        connectivity=cells.ravel().astype(np.int64),
        offsets=np.arange(0, cells.size + 1, kind.corners, dtype=np.int64),
        types=np.full(len(cells), kind.vtk, dtype=np.uint8),
        weights=weights / weights.sum(),
    )


def mesh_of_grid(bounds: Sequence[tuple[float, float]], shape: Sequence[int]) -> Mesh:
    """Make a uniform grid of one to three directions, whose last index runs fastest.

    Args:
        bounds: first and last coordinate in each direction, in metres.
        shape: number of points in each direction.
    """
    axes = [np.linspace(*ends, n) for ends, n in zip(bounds, shape, strict=True)]
    points = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, len(axes))
    index = np.arange(len(points)).reshape(shape)
    corners = [index[tuple(map(_SIDES.__getitem__, corner))] for corner in _CORNERS[len(axes)]]
    cells = np.stack(corners, axis=-1).reshape(-1, len(corners))
    return mesh_of_cells(points, cells, _OF_GRID[len(axes) - 1])


_SIDES = (slice(None, -1), slice(1, None))  # the lower and the upper neighbour in one direction
_SQUARE = ((0, 0), (1, 0), (1, 1), (0, 1))
_CORNERS: Mapping[int, Sequence[tuple[int, ...]]] = {
    1: ((0,), (1,)),
    2: _SQUARE,
    3: [(*corner, level) for level in (0, 1) for corner in _SQUARE],
}


def _measures(corners: Array) -> Array:
    """Return the size of each simplex, shape (n, corners, 3) to (n,); of a point it is 1."""
    edges = corners[:, 1:] - corners[:, :1]  # (n, corners - 1, 3)
    gram = edges @ edges.transpose(0, 2, 1)
    size: Array = np.sqrt(np.maximum(np.linalg.det(gram), 0)) / math.factorial(edges.shape[1])
    return size
