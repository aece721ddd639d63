"""Fields of one mesh at the points of another: what a cheaper level of a solver answers.

Linear between the points, by simplices without regard to the cells; beyond the outermost points,
as at the nearest.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pools.solution import Field, Mesh, Solution

Array = NDArray[np.float64]

_FLAT = 1e-9  # a direction in which a mesh extends less than this, relative to its size, is none


def on_mesh(solution: Solution, mesh: Mesh) -> Solution:
    """Return a solution with its fields at the points of a mesh; as it is where they are there.

    Raises:
        ValueError: the two meshes do not extend in the same directions.
    """
    if np.array_equal(solution.mesh.points, mesh.points):
        return solution
    values = at_points(solution.mesh.points, solution.stacked_fields(), mesh.points)  # (p, c)
    fields = zip(solution.fields.items(), values.T, strict=True)
    moved = {name: Field(column, field.unit) for (name, field), column in fields}
    return replace(solution, mesh=mesh, fields=moved)


def at_points(known: Array, values: Array, wanted: Array) -> Array:
    """Interpolate values, shape (p, c), known at points (p, 3), at others (k, 3), to (k, c).

    Raises:
        ValueError: the points do not extend in the same directions.
    """
    along, other = _directions(known), _directions(wanted)
    if not np.array_equal(along, other) or not along.any():
        raise ValueError(
            f"the fields' mesh extends along {_named(along)} and the other along {_named(other)}; "
            "levels of a solver need meshes of the same domain"
        )
    places, sought = known[:, along], wanted[:, along]
    if along.sum() == 1:
        return _on_line(places[:, 0], values, sought[:, 0])
    return _between(places, values, sought)


def _between(places: Array, values: Array, sought: Array) -> Array:
    """Interpolate in a plane or in space, values (p, c) to (k, c)."""
    from scipy.interpolate import LinearNDInterpolator, NearestNDInterpolator  # takes a second

    found: Array = LinearNDInterpolator(places, values, rescale=True)(sought)
    beyond = np.isnan(found).any(axis=1)
    found[beyond] = NearestNDInterpolator(places, values)(sought[beyond])
    return found


def _on_line(places: Array, values: Array, sought: Array) -> Array:
    order = np.argsort(places, kind="stable")
    columns = [np.interp(sought, places[order], column[order]) for column in values.T]
    return np.stack(columns, axis=1)


def _directions(points: Array) -> NDArray[np.bool_]:
    """Say along which axes points extend, shape (3,)."""
    extent: Array = np.ptp(points, axis=0)
    return extent > _FLAT * max(float(extent.max()), np.finfo(float).tiny)


def _named(directions: NDArray[np.bool_]) -> str:
    return ", ".join(np.array(["x", "y", "z"])[directions]) or "no direction"
