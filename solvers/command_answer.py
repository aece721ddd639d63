"""Takes quantities, fields and the mesh out of what a command wrote."""

import math
from collections.abc import Mapping

import numpy as np

from pools.solution import Mesh
from solvers.cells import SHAPES, mesh_of_cells
from solvers.command_output import Array, Reader
from solvers.command_settings import OutputField, OutputMesh
from solvers.components import AXES, component_of

_SHAPE_OF: Mapping[tuple[int, int], str] = {  # by the points' dimensions and the cells' corners
    (2, 2): "line",
    (3, 2): "line",
    (2, 3): "triangle",
    (3, 3): "triangle",
    (2, 4): "quad",
    (3, 4): "tetra",
    (3, 8): "hexahedron",
}


class NotFiniteError(ValueError):
    """Something in the answer is no finite number."""


def scalar(read: Reader, key: str) -> float:
    """Return one number.

    Raises:
        ValueError: it is missing, or more than one; NotFiniteError if it is not finite.
    """
    values = _finite(read, key)
    if values.size != 1:
        raise ValueError(f"{key} has the shape {values.shape}, but a quantity is one number")
    return float(values.reshape(()))


def field(read: Reader, key: str, declared: OutputField, shape: tuple[int, ...]) -> Array:
    """Return a field, shape (p,).

    Args:
        read: reads the answer.
        key: where it is.
        declared: what of it is the field.
        shape: that of the grid, or (p,).

    Raises:
        ValueError: it is missing or of another shape; NotFiniteError if it is not finite.
    """
    values, p = _finite(read, key), math.prod(shape)
    if declared.component is None:
        if values.shape not in {(p,), shape}:
            raise ValueError(_misfit(key, values, shape) + "; of a vector, name a component")
        return values.reshape(p)
    if values.ndim < 2 or values.shape[:-1] not in {(p,), shape}:
        raise ValueError(_misfit(key, values, (*shape, 3)))
    return _component(key, values.reshape(p, -1), declared.component)


def mesh(read: Reader, declared: OutputMesh) -> Mesh:
    """Return the mesh.

    Raises:
        ValueError: something is missing, or the cells are not cells of the points.
    """
    points = _finite(read, declared.points)
    if points.ndim != 2 or points.shape[1] not in {2, 3} or not len(points):
        raise ValueError(f"{declared.points} has the shape {points.shape}, expected (p, 2 or 3)")
    if declared.cells is None:
        return mesh_of_cells(points, np.arange(len(points)).reshape(-1, 1), "vertex")
    cells = _finite(read, declared.cells)
    shape = _shape(declared, points, cells)
    if (cells != cells.astype(np.int64)).any() or cells.min() < 0 or cells.max() >= len(points):
        raise ValueError(
            f"{declared.cells} goes from {cells.min():g} to {cells.max():g}, expected indices of "
            f"points, whole numbers from 0 to {len(points) - 1}"
        )
    return mesh_of_cells(points, cells.astype(np.int64), shape)


def _finite(read: Reader, key: str) -> Array:
    values = read(key)
    if bad := int(np.count_nonzero(~np.isfinite(values))):
        raise NotFiniteError(f"{key} is not finite: {bad} of {values.size} values")
    return values


def _misfit(key: str, values: Array, expected: tuple[int, ...]) -> str:
    return f"{key} has the shape {values.shape}, expected {expected}"


def _component(key: str, vectors: Array, component: str) -> Array:
    """Return a component or the length of vectors, shape (p, 1 to 3) to (p,)."""
    if AXES.get(component, 0) >= vectors.shape[1]:
        raise ValueError(f"{key} has {vectors.shape[1]} components, and so no {component}")
    return component_of(vectors, component)


def _shape(declared: OutputMesh, points: Array, cells: Array) -> str:
    """Say which shape the cells are."""
    corners = cells.shape[1] if cells.ndim == 2 and cells.size else 0
    shape = declared.shape or _SHAPE_OF.get((points.shape[1], corners))
    if shape is None or SHAPES[shape].corners != corners:
        expected = f"(cells, {SHAPES[shape].corners})" if shape else "(cells, 2, 3, 4 or 8)"
        raise ValueError(f"{declared.cells} has the shape {cells.shape}, expected {expected}")
    return shape
