"""A uniform grid's values lie within those of the mesh, however thin its cells."""

import numpy as np
import pyvista as pv

from solvers.openfoam.reader import resampled_region
from solvers.openfoam.sources import Resample


def graded_mesh(first: float = 5e-6, far: float = 100.0) -> pv.UnstructuredGrid:
    """Return a mesh over y > x / 5 with cells that grow from `first` at that wall to `far`."""
    x = np.linspace(-0.5, 1.5, 9)
    y = np.concatenate([[0.0], np.geomspace(first, far, 60)])
    grid = pv.StructuredGrid(*np.meshgrid(x, y, [0.0, 1.0], indexing="ij"))
    grid.points[:, 1] += 0.2 * grid.points[:, 0]
    mesh = grid.cast_to_unstructured_grid()
    depth = mesh.points[:, 1] - 0.2 * mesh.points[:, 0]
    mesh.point_data["u"] = np.tanh(depth / (2 * first))  # steep in the cells at the wall
    return mesh


def test_nothing_is_extrapolated_from_thin_cells() -> None:
    grid = Resample(bounds=((-0.4, 1.4), (-0.5, 0.5)), shape=(181, 101))
    region = resampled_region(graded_mesh(), ["u"], grid)
    assert np.abs(region.arrays["u"]).max() <= 1 + 1e-9
    above = region.mesh.points[:, 1] > 0.2 * region.mesh.points[:, 0] + 1e-6
    assert (region.mesh.weights[above] > 0).all()


def test_a_grid_that_ends_where_the_mesh_ends_is_whole() -> None:
    plane = pv.ImageData(dimensions=(8, 8, 2), spacing=(0.1, 0.1, 0.1))
    mesh = plane.cast_to_unstructured_grid()
    mesh.points = mesh.points.astype(np.float32)
    mesh.point_data["u"] = mesh.points[:, 0].astype(float)
    region = resampled_region(mesh, ["u"], Resample(bounds=((0, 0.7), (0, 0.7)), shape=(8, 8)))
    assert (region.mesh.weights > 0).all()
    np.testing.assert_allclose(region.arrays["u"], region.mesh.points[:, 0], atol=1e-7)
