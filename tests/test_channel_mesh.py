import itertools

import numpy as np
import pytest
from skfem import MeshQuad2

from solvers.channel_mesh import HEIGHT, LENGTH, LEVELS, Obstacle, channel_mesh
from solvers.navier_stokes import TaylorHood

CIRCLE = Obstacle(0.05, 0.05, 0.0, 0.2)
CORNERS = [
    Obstacle(*values)
    for values in itertools.product((0.025, 0.07), (0.025, 0.07), (-90, -30, 45, 90), (0.12, 0.29))
]


@pytest.fixture(scope="module")
def circle() -> MeshQuad2:
    return channel_mesh(CIRCLE, LEVELS["coarse"])


@pytest.mark.parametrize("obstacle", CORNERS, ids=str)
def test_corners_of_the_parameter_box_share_the_topology_and_have_positive_cells(
    obstacle: Obstacle, circle: MeshQuad2
) -> None:
    mesh = channel_mesh(obstacle, LEVELS["coarse"])
    assert obstacle.fault() is None
    np.testing.assert_array_equal(mesh.t, circle.t)
    np.testing.assert_array_equal(mesh.dofs.element_dofs, circle.dofs.element_dofs)
    np.testing.assert_array_equal(mesh.boundary_facets(), circle.boundary_facets())
    assert TaylorHood.on(mesh).area.min() > 0


@pytest.mark.parametrize("obstacle", CORNERS[::5], ids=str)
def test_area_is_the_channel_less_the_ellipse(obstacle: Obstacle) -> None:
    area = TaylorHood.on(channel_mesh(obstacle, LEVELS["coarse"])).area.sum()
    ellipse = np.pi * obstacle.semi_axis_a * obstacle.semi_axis_b
    assert area == pytest.approx(LENGTH * HEIGHT - ellipse, rel=1e-6)


def test_area_converges_as_the_fourth_order_of_the_curved_boundary() -> None:
    exact = LENGTH * HEIGHT - np.pi * 0.05**2
    errors = [
        abs(TaylorHood.on(channel_mesh(CIRCLE, level)).area.sum() - exact)
        for level in (LEVELS["coarse"], LEVELS["fine"])
    ]
    assert np.log(errors[0] / errors[1]) / np.log(20 / 8) == pytest.approx(4, abs=0.2)


def test_middle_nodes_lie_on_the_ellipse() -> None:
    obstacle = Obstacle(0.07, 0.025, 30.0, 0.15)
    mesh = channel_mesh(obstacle, LEVELS["coarse"])
    nodes = np.union1d(mesh.boundary_nodes(), mesh.dofs.facet_dofs[0, mesh.boundary_facets()])
    x, y = mesh.doflocs[:, nodes]
    inside = (x > 0) & (x < LENGTH) & (y > 0) & (y < HEIGHT)
    on_circle = np.linalg.solve(
        obstacle.stretch, mesh.doflocs[:, nodes[inside]] - obstacle.centre[:, None]
    )
    assert inside.sum() == 64
    np.testing.assert_allclose(np.linalg.norm(on_circle, axis=0), 1.0, rtol=1e-12)


def test_half_a_turn_changes_nothing() -> None:
    up, down = (
        channel_mesh(Obstacle(0.06, 0.03, a, 0.2), LEVELS["coarse"]).doflocs for a in (90, -90)
    )
    np.testing.assert_allclose(up, down, atol=1e-15)


@pytest.mark.parametrize(
    ("obstacle", "reason"),
    [
        (Obstacle(0.05, 0.05, 0.0, 0.05), "gap"),
        (Obstacle(0.05, 0.05, 0.0, 0.40), "gap"),
        (Obstacle(0.25, 0.05, 0.0, 0.2), "gap"),
        (Obstacle(-0.05, 0.05, 0.0, 0.2), "semi-axes"),
        (Obstacle(float("nan"), 0.05, 0.0, 0.2), "semi-axes"),
    ],
    ids=str,
)
def test_an_obstacle_that_does_not_fit_says_why(obstacle: Obstacle, reason: str) -> None:
    assert reason in (obstacle.fault() or "")
