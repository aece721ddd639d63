"""Meshes and fields of a written case, through VTK's OpenFOAM reader (pyvista).

Cell values are averaged to the mesh's points, where a patch's own values take the place of the
cells' behind it: a wall's velocity is the wall's. A case of one cell across is answered as the
plane that it is.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyvista as pv
from numpy.typing import NDArray

# pyvista loads these when they are first used: here, so that not every forked solve does it again.
from vtkmodules import vtkFiltersGeometry, vtkFiltersVerdict, vtkIOParallel  # noqa: F401

from pools.solution import VTK_QUAD, Mesh
from solvers.components import component_of
from solvers.openfoam.sources import Component, Resample

Array = NDArray[np.float64]

_INTERNAL = "internalMesh"
_NEAR = 1e-7  # how far outside a cell a point may be, over the grid's size
_FLAT = 1e-6  # thickness of a plane, over the extent of the mesh
_TRIANGLE = 5
_POLYGON = 7
_POLYHEDRON = 42


@dataclass(frozen=True, slots=True, eq=False)
class Region:
    """A part of the mesh, with what is read there.

    Attributes:
        mesh: its points and cells.
        arrays: OpenFOAM's fields at the points, shape (p,) or (p, 3).
    """

    mesh: Mesh
    arrays: dict[str, Array]


class CaseReader:
    """Reads the mesh and the last time of a case; a field is read when it is asked for.

    Args:
        case: the case's directory.
        fields: OpenFOAM's fields to read; none where only the mesh is wanted.
    """

    def __init__(self, case: Path, fields: Iterable[str] = ()) -> None:
        marker = case / "case.foam"  # what ParaView opens, too
        marker.touch()
        self._reader = pv.POpenFOAMReader(str(marker))
        self._reader.cell_to_point_creation = True
        self._reader.disable_all_cell_arrays()
        for name in set(fields) & set(self._reader.cell_array_names):
            self._reader.enable_cell_array(name)
        if times := self._reader.time_values:
            self._reader.set_active_time_value(times[-1])

    @property
    def patches(self) -> list[str]:
        """Names of the patches."""
        names = self._reader.patch_array_names
        return [name.removeprefix("patch/") for name in names if name.startswith("patch/")]

    def internal(self) -> pv.UnstructuredGrid:
        """Read the whole mesh."""
        grid: pv.UnstructuredGrid = self._read(_INTERNAL)[_INTERNAL]  # type: ignore[assignment]
        return grid

    def patch(self, name: str) -> pv.PolyData:
        """Read the surface of a patch."""
        boundary: pv.MultiBlock = self._read(f"patch/{name}")["boundary"]  # type: ignore[assignment]
        surface: pv.PolyData = boundary[name]  # type: ignore[assignment]  # patches are surfaces
        return surface

    def _read(self, region: str) -> pv.MultiBlock:
        self._reader.disable_all_patch_arrays()
        self._reader.enable_patch_array(region)
        return self._reader.read()


def internal_region(grid: pv.UnstructuredGrid, names: Sequence[str]) -> Region:
    """Return the whole mesh, or its plane where it is one cell thick."""
    axis = flat_axis(grid)
    if axis is None and _POLYHEDRON in grid.celltypes:
        grid = grid.triangulate()  # VTKHDF's polyhedra are read by few; its points stay
    mesh, kept = _solid(grid) if axis is None else _plane(grid, axis)
    return Region(mesh, {name: _values(grid, name)[kept] for name in names})


def patches_region(surfaces: Sequence[pv.PolyData], names: Sequence[str]) -> Region:
    """Return the surfaces of patches as one mesh, weighted by area."""
    parts = [_surface(surface) for surface in surfaces]
    arrays = {name: np.concatenate([_values(s, name) for s in surfaces]) for name in names}
    return Region(_joined(parts), arrays)


def resampled_region(grid: pv.UnstructuredGrid, names: Sequence[str], wanted: Resample) -> Region:
    """Return the fields on a uniform grid; points outside the mesh hold 0 and weigh nothing."""
    mesh, points = _uniform(grid, wanted)
    near = _NEAR * max(high - low for low, high in wanted.bounds)
    # VTK's own tolerance is of the whole mesh's size: from beside a thin cell it extrapolates.
    sampled = pv.PolyData(_within(grid, points, near)).sample(grid, tolerance=near)
    inside = np.asarray(sampled["vtkValidPointMask"], dtype=bool)
    weights = np.where(inside, mesh.weights, 0.0)
    total = weights.sum() or 1.0
    masked = Mesh(mesh.points, mesh.connectivity, mesh.offsets, mesh.types, weights / total)
    return Region(masked, {name: _values(sampled, name) for name in names})


def scalar_of(values: Array, component: Component | None) -> Array:
    """Return a scalar of a field, shape (p,), from values of shape (p,) or (p, 3)."""
    return values if component is None else component_of(values, component)


def flat_axis(grid: pv.DataSet) -> int | None:
    """Return the axis along which the mesh is one cell thick; None where there is none."""
    low, high = np.array(grid.bounds).reshape(3, 2).T
    extent = float((high - low).max())
    for axis in (2, 1, 0):
        along = grid.points[:, axis]
        near_low = along - low[axis] < _FLAT * extent
        near_high = high[axis] - along < _FLAT * extent
        if (near_low | near_high).all() and high[axis] > low[axis]:
            return axis
    return None


def _within(grid: pv.UnstructuredGrid, points: Array, near: float) -> Array:
    """Put points that rounding left just outside the mesh's bounds on them."""
    low, high = np.array(grid.bounds).reshape(3, 2).T
    put = np.clip(points, low, high)
    return np.where(np.abs(put - points) <= near, put, points)


def _values(data: pv.DataSet, name: str) -> Array:
    return np.asarray(data.point_data[name], dtype=np.float64)


def _solid(grid: pv.UnstructuredGrid) -> tuple[Mesh, slice]:
    points = np.asarray(grid.points, dtype=np.float64)
    connectivity, offsets = _cells(grid)
    volumes = np.abs(grid.compute_cell_sizes(length=False, area=False)["Volume"])
    weights = _shares(volumes, connectivity, offsets, len(points))
    types = np.asarray(grid.celltypes, dtype=np.uint8)
    return Mesh(points, connectivity, offsets, types, weights), slice(None)


def _plane(grid: pv.UnstructuredGrid, axis: int) -> tuple[Mesh, NDArray[np.int64]]:
    """Return the lower of the two planes, and which of the grid's points lie in it."""
    low, high = grid.bounds[2 * axis], grid.bounds[2 * axis + 1]
    grid = grid.copy(deep=False)
    surface = grid.extract_surface(
        pass_pointid=True, pass_cellid=True, algorithm="dataset_surface"
    )
    is_low = surface.points[:, axis] < (low + high) / 2
    connectivity, offsets = _cells(surface)
    inside = np.minimum.reduceat(is_low[connectivity], offsets[:-1])
    faces = np.flatnonzero(inside)
    faces = faces[np.argsort(surface["vtkOriginalCellIds"][faces], kind="stable")]
    sizes = np.diff(offsets)[faces]
    starts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    back = np.arange(starts[-1]) - np.repeat(starts[:-1], sizes)
    corners = connectivity[np.repeat(offsets[faces + 1] - 1, sizes) - back]  # outward is down
    original = np.asarray(surface["vtkOriginalPointIds"], dtype=np.int64)[corners]
    kept, local = np.unique(original, return_inverse=True)
    volumes = np.abs(grid.compute_cell_sizes(length=False, area=False)["Volume"])
    shares = _shares(volumes[surface["vtkOriginalCellIds"][faces]], local, starts, len(kept))
    points = np.asarray(grid.points[kept], dtype=np.float64)
    points[:, axis] = 0.0
    return Mesh(points, local.astype(np.int64), starts, _types(sizes), shares), kept


def _surface(surface: pv.PolyData) -> Mesh:
    points = np.asarray(surface.points, dtype=np.float64)
    connectivity, offsets = _cells(surface)
    sizes = np.diff(offsets)
    areas = surface.compute_cell_sizes(length=False, volume=False)["Area"]
    shares = _shares(areas, connectivity, offsets, len(points))
    return Mesh(points, connectivity, offsets, _types(sizes), shares * areas.sum())


def _joined(parts: Sequence[Mesh]) -> Mesh:
    """Put meshes one after the other; their weights are areas."""
    firsts = np.cumsum([0, *(len(part.points) for part in parts)])
    begins = np.cumsum([0, *(len(part.connectivity) for part in parts)])
    weights = np.concatenate([part.weights for part in parts])
    pairs = list(zip(parts, firsts, begins, strict=False))
    return Mesh(
        points=np.concatenate([part.points for part in parts]),
        connectivity=np.concatenate([part.connectivity + first for part, first, _ in pairs]),
        offsets=np.concatenate([*(part.offsets[:-1] + b for part, _, b in pairs), begins[-1:]]),
        types=np.concatenate([part.types for part in parts]),
        weights=weights / weights.sum(),
    )


def _cells(data: pv.DataSet) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    cells = data.GetPolys() if isinstance(data, pv.PolyData) else data.GetCells()
    arrays = (cells.GetConnectivityArray(), cells.GetOffsetsArray())
    connectivity, offsets = (np.array(pv.convert_array(a), dtype=np.int64) for a in arrays)
    return connectivity, offsets


def _types(sizes: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Return the VTK types of plane cells with so many corners."""
    kinds = np.where(sizes == 4, VTK_QUAD, np.where(sizes == 3, _TRIANGLE, _POLYGON))
    return kinds.astype(np.uint8)


def _shares(
    sizes: Array, connectivity: NDArray[np.int64], offsets: NDArray[np.int64], points: int
) -> Array:
    """Give each cell's size to its points in equal parts; the sum is 1, shape (p,)."""
    corners = np.diff(offsets)
    each = np.repeat(np.asarray(sizes) / corners, corners)
    total = np.bincount(connectivity, each, minlength=points)
    return np.asarray(total / total.sum())


def _uniform(grid: pv.UnstructuredGrid, wanted: Resample) -> tuple[Mesh, Array]:
    """Return a uniform grid and where it is probed: a plane in the middle of a flat mesh."""
    axes = [np.linspace(*b, n) for b, n in zip(wanted.bounds, wanted.shape, strict=True)]
    if len(axes) == 3:
        mesh = _solid(pv.RectilinearGrid(*axes).cast_to_unstructured_grid())[0]
        return mesh, mesh.points
    flat = flat_axis(grid)
    normal = 2 if flat is None else flat
    image = pv.RectilinearGrid(*axes, np.zeros(1)).cast_to_unstructured_grid()
    plane = [axis for axis in range(3) if axis != normal]
    points = np.zeros_like(image.points, dtype=np.float64)
    points[:, plane] = image.points[:, :2]
    connectivity, offsets = _cells(image)
    areas = image.compute_cell_sizes(length=False, volume=False)["Area"]
    shares = _shares(areas, connectivity, offsets, len(points))
    mesh = Mesh(points, connectivity, offsets, np.asarray(image.celltypes, np.uint8), shares)
    probed = points.copy()
    probed[:, normal] = (grid.bounds[2 * normal] + grid.bounds[2 * normal + 1]) / 2
    return mesh, probed
