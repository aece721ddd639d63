"""Cells: their sizes against geometry, and grids whose last index runs fastest."""

import numpy as np
import pytest

from solvers.cells import SHAPES, mesh_of_cells, mesh_of_grid

CUBE = np.array(
    [[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0], [0, 0, 1], [1, 0, 1], [1, 1, 1], [0, 1, 1]],
    dtype=float,
)
SHEAR = np.array([[2.0, 0.3, 0.1], [0.0, 1.5, 0.4], [0.0, 0.0, 0.5]])  # determinant 1.5
SIZES = {"line": 1.0, "triangle": 0.5, "quad": 1.0, "tetra": 1 / 6, "hexahedron": 1.0}


def total(shape: str, points: np.ndarray) -> float:
    """Return the size of one cell, by its share of a mesh with a unit square or cube beside it."""
    corners = [[0, 1, 3, 4]] if shape == "tetra" else [list(range(SHAPES[shape].corners))]
    n = len(corners[0])
    both = np.concatenate([points[corners[0]], CUBE[corners[0]]])
    weights = mesh_of_cells(both, np.arange(2 * n).reshape(2, n), shape).weights
    return SIZES[shape] * weights[:n].sum() / weights[n:].sum()


@pytest.mark.parametrize("shape", ["tetra", "hexahedron"])
def test_volumes_scale_by_the_determinant(shape: str) -> None:
    assert total(shape, CUBE @ SHEAR) == pytest.approx(1.5 * SIZES[shape])


@pytest.mark.parametrize("shape", ["triangle", "quad"])
def test_areas_do_not_depend_on_where_a_surface_is_turned(shape: str) -> None:
    turn = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))[0]
    assert total(shape, 3 * CUBE @ turn + 7) == pytest.approx(9 * SIZES[shape])


def test_every_shape_fills_itself() -> None:
    """The parts of a shape neither overlap nor leave a gap."""
    from math import factorial

    for name, size in SIZES.items():
        corners = CUBE[[0, 1, 3, 4]] if name == "tetra" else CUBE[: SHAPES[name].corners]
        edges = [corners[list(p)][1:] - corners[p[0]] for p in SHAPES[name].simplices]
        parts = [np.sqrt(np.linalg.det(e @ e.T)) / factorial(len(e)) for e in edges]
        assert sum(parts) == pytest.approx(size)


def test_cells_without_size_are_refused() -> None:
    with pytest.raises(ValueError, match=r"the mesh's 1 cells \(triangle\) have no size"):
        mesh_of_cells(np.zeros((3, 2)), np.array([[0, 1, 2]]), "triangle")


@pytest.mark.parametrize("shape", [(5,), (4, 3), (2, 4, 3)])
def test_a_grid_has_its_points_in_the_order_of_an_array(shape: tuple[int, ...]) -> None:
    bounds = [(0.0, 1.0), (-1.0, 1.0), (2.0, 5.0)][: len(shape)]
    mesh = mesh_of_grid(bounds, shape)
    axes = [np.linspace(*ends, n) for ends, n in zip(bounds, shape, strict=True)]
    for direction, values in enumerate(np.meshgrid(*axes, indexing="ij")):
        np.testing.assert_array_equal(mesh.points[:, direction].reshape(shape), values)
    assert len(mesh.types) == np.prod([n - 1 for n in shape])


@pytest.mark.parametrize("shape", [(5,), (4, 3), (2, 4, 3)])
def test_the_weights_of_a_grid_are_those_of_the_trapezoidal_rule(shape: tuple[int, ...]) -> None:
    expected = np.ones(())
    for n in shape:
        rule = np.ones(n)
        rule[[0, -1]] = 0.5
        expected = np.multiply.outer(expected, rule / rule.sum())
    mesh = mesh_of_grid([(0.0, 2.0)] * len(shape), shape)
    np.testing.assert_allclose(mesh.weights.reshape(shape), expected)


def test_vtk_finds_the_same_sizes() -> None:
    """And so the corners are in VTK's order: a wrong one would turn cells inside out."""
    import pyvista

    mesh = mesh_of_grid([(0, 1), (0, 2), (0, 4)], (3, 4, 5))
    cells = np.insert(mesh.connectivity.reshape(-1, 8), 0, 8, axis=1)
    sizes = pyvista.UnstructuredGrid(cells.ravel(), mesh.types, mesh.points).compute_cell_sizes()
    np.testing.assert_allclose(sizes["Volume"], 8 / 24)
