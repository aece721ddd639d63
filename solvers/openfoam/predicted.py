"""How far predicted fields are from solving a steady case: one iteration from them, and its log.

The fields are interpolated to the cells and written as initial fields. OpenFOAM tells the residual
of each equation before it solves it, over a scale of that equation: no unit.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyvista as pv
from numpy.typing import NDArray

from pools.errors import UsageError
from pools.outcome import Outcome
from pools.solution import Mesh
from solvers.openfoam.answer import read_region
from solvers.openfoam.reader import CaseReader, flat_axis
from solvers.openfoam.run import CaseRun
from solvers.openfoam.settings import OpenFOAMSettings
from solvers.openfoam.start import put_inner
from solvers.predicted import check_predicted

Array = NDArray[np.float64]

_AXES = ("x", "y", "z")
_NEAR = 1e-7  # how far outside a cell a cell's centre may be, over the mesh's size


def check_residual(settings: OpenFOAMSettings, *, steady: bool) -> None:
    """Check that a case can begin from the fields that it answers.

    Raises:
        UsageError: it is transient, answers on patches, or answers the magnitude of a vector.
    """
    if not steady:
        raise UsageError(
            "the residual of predicted fields needs a steady case (ddtSchemes steadyState): of "
            "a transient one no single state solves the equations; query with hybrid instead"
        )
    if settings.region != "internal":
        raise UsageError(
            "the residual of predicted fields needs region: internal, since the solver begins "
            "from the cells' values; query with hybrid instead"
        )
    if sizes := [n for n, s in settings.fields.items() if s.component == "magnitude"]:
        raise UsageError(
            f"the residual of predicted fields needs components, but fields.{sizes[0]} is a "
            "magnitude: declare x, y (and z), or query with hybrid instead"
        )


def residual_of(run: CaseRun, fields: Array) -> float:
    """Return the root mean square of the initial residuals of the predicted fields' equations.

    Args:
        run: a case that is prepared and has no mesh yet.
        fields: at the points of the answer's mesh, in the order of `fields`, shape (p, c).

    Raises:
        SolverError: the mesh or the iteration failed, or no such equation was solved.
        UsageError: the fields are not those of the answer, or an initial field is not uniform.
    """
    run.mesh()
    cells = cell_values(run, fields)
    names = {source.field for source in run.settings.fields.values()}
    for name in sorted(names):
        uniform = run.uniform_value(name)
        inner = _inner(run.settings, name, _number(uniform), cells)
        put_inner(run.case / "0" / name, uniform, inner)
    log = run.iterate_once()
    found = [log.residuals[name] for name in sorted(names & set(log.residuals))]
    if not found:
        solved = ", ".join(log.residuals) or "none"
        reason = f"the log tells no residual of {', '.join(sorted(names))}; it tells {solved}"
        raise run.error(Outcome.BAD_OUTPUT, reason)
    return math.sqrt(float(np.mean(np.square(found))))


@dataclass(frozen=True, slots=True, eq=False)
class CellValues:
    """Predicted fields at the cells.

    Attributes:
        values: by name of the answer's field, each of shape (cells,).
        inside: which cells have their centre in the mesh of the answer, shape (cells,).
    """

    values: Mapping[str, Array]
    inside: NDArray[np.bool_]


def cell_values(run: CaseRun, fields: Array) -> CellValues:
    """Interpolate predicted fields to the centres of a case's cells."""
    names = run.settings.fields
    mesh = read_region(run.case, run.settings, ()).mesh
    check_predicted(fields, len(mesh.points), names)
    grid = CaseReader(run.case).internal()
    centres = np.array(grid.cell_centers().points, dtype=np.float64)  # (cells, 3)
    if np.ptp(mesh.points, axis=0).min() == 0 and (axis := flat_axis(grid)) is not None:
        centres[:, axis] = 0.0  # as the answer's plane
    return _sampled(mesh, dict(zip(names, fields.T, strict=True)), centres)


def _sampled(mesh: Mesh, columns: Mapping[str, Array], at: Array) -> CellValues:
    """Interpolate within the cells of a mesh."""
    cells = np.insert(mesh.connectivity, mesh.offsets[:-1], np.diff(mesh.offsets))
    source = pv.UnstructuredGrid(cells, mesh.types, mesh.points)
    for name, values in columns.items():
        source.point_data[name] = np.ascontiguousarray(values)
    near = _NEAR * float(np.ptp(mesh.points, axis=0).max())
    sampled = pv.PolyData(at).sample(source, tolerance=near)
    inside = np.asarray(sampled["vtkValidPointMask"], dtype=bool)
    return CellValues({n: np.asarray(sampled.point_data[n], np.float64) for n in columns}, inside)


def _number(uniform: str) -> Array:
    """Return the number or the vector of `uniform (1 0 0)`, shape () or (3,)."""
    numbers = np.array(uniform.removeprefix("uniform").strip("() ").split(), dtype=np.float64)
    return numbers if uniform.endswith(")") else numbers.reshape(())


def _inner(settings: OpenFOAMSettings, field: str, initial: Array, cells: CellValues) -> Array:
    """Return the inner values of one of OpenFOAM's fields, shape (cells,) or (cells, 3).

    Cells outside the answer's mesh and components that are not predicted keep the initial value.
    """
    inner = np.broadcast_to(initial, (len(cells.inside), *initial.shape)).copy()
    for name, source in settings.fields.items():
        if source.field == field:
            column = inner if source.component is None else inner[:, _AXES.index(source.component)]
            column[cells.inside] = cells.values[name][cells.inside]
    return inner
