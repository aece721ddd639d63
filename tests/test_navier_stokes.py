import io

import numpy as np
import pytest
from skfem import MeshQuad1, MeshQuad2

from pools.outcome import Outcome
from solvers.navier_stokes import Array, Iterations, Problem, TaylorHood, newton

VISCOSITY = 0.05
PI = np.pi


def exact(x: Array, y: Array) -> tuple[Array, Array, Array]:
    """A divergence-free velocity and a pressure on the unit square, with no symmetry to help."""
    u = np.sin(PI * x) * np.cos(PI * y) + y**2
    v = -np.cos(PI * x) * np.sin(PI * y) + x**2
    return u, v, np.sin(PI * x) * np.exp(y)


def force(x: Array, y: Array) -> Array:
    """What the exact flow leaves in the momentum equation, shape (2, ...)."""
    u, v, _ = exact(x, y)
    sx, cx, sy, cy = np.sin(PI * x), np.cos(PI * x), np.sin(PI * y), np.cos(PI * y)
    u_x, u_y = PI * cx * cy, -PI * sx * sy + 2 * y
    v_x, v_y = PI * sx * sy + 2 * x, -PI * cx * cy
    laplace_u, laplace_v = -2 * PI**2 * sx * cy + 2, 2 * PI**2 * cx * sy + 2
    return np.array(
        [
            -VISCOSITY * laplace_u + u * u_x + v * u_y + PI * cx * np.exp(y),
            -VISCOSITY * laplace_v + u * v_x + v * v_y + sx * np.exp(y),
        ]
    )


def square(cells: int) -> MeshQuad2:
    """A mesh of the unit square whose cells are curved inside."""
    grid = np.linspace(0, 1, cells + 1)
    tensor = MeshQuad1.init_tensor(grid, grid)
    mesh = MeshQuad2.from_mesh(MeshQuad1(tensor.p, tensor.t[[0, 3, 2, 1]]))  # counter-clockwise
    x, y = mesh.doflocs
    bump = 0.05 * np.sin(PI * x) * np.sin(PI * y)
    return MeshQuad2(np.array([x + bump, y - bump]), mesh.t)


def manufactured(cells: int) -> tuple[Problem, Array]:
    """The problem that the exact flow solves, and its nodal values as a state."""
    space = TaylorHood.on(square(cells))
    at = np.einsum("iq,aie->aeq", space.phi, space.mesh.doflocs[:, space.cells])
    local = np.einsum("iq,aeq->aie", space.phi, force(*at) * space.area)
    load = np.zeros(space.unknowns)
    for a in range(2):
        np.add.at(load[a * space.nodes :], space.cells, local[a])
    x, y = space.mesh.doflocs
    u, v, p = exact(x, y)
    edge = (x < 1e-12) | (x > 1 - 1e-12) | (y < 1e-12) | (y > 1 - 1e-12)
    fixed = np.concatenate([edge, edge, np.zeros(space.corners, dtype=np.bool_)])
    fixed[2 * space.nodes] = True  # the pressure's level is free in a closed box
    return Problem(space, VISCOSITY, fixed, load), np.concatenate([u, v, p[: space.corners]])


def solve(problem: Problem, start: Array, *, picard: int = 3) -> Iterations:
    return newton(
        problem, start, picard=picard, tolerance=1e-11, max_iterations=15, log=io.StringIO()
    )


def errors(cells: int) -> Array:
    """L2 errors of velocity and pressure, shape (2,)."""
    problem, nodal = manufactured(cells)
    space = problem.space
    end = solve(problem, np.where(problem.fixed, nodal, 0.0))
    assert end.outcome is Outcome.OK
    x, y = np.einsum("iq,aie->aeq", space.phi, space.mesh.doflocs[:, space.cells])
    u, v, p = exact(x, y)
    velocity = np.einsum("iq,aie->aeq", space.phi, space.velocity(end.state)[:, space.cells])
    pressure = np.einsum("kq,ke->eq", space.psi, space.pressure(end.state)[space.mesh.t])
    off = pressure - p
    off = off - np.sum(off * space.area) / space.area.sum()
    square_errors = [np.sum((velocity - [u, v]) ** 2 * space.area), np.sum(off**2 * space.area)]
    return np.sqrt(square_errors)


def test_manufactured_solution_converges_at_taylor_hoods_orders() -> None:
    table = np.array([errors(cells) for cells in (8, 16, 32)])
    orders = np.log2(table[:-1] / table[1:])  # (2, velocity and pressure)
    assert orders[-1, 0] == pytest.approx(3, abs=0.25)
    assert orders[-1, 1] == pytest.approx(2, abs=0.25)


def test_newton_converges_quadratically() -> None:
    problem, nodal = manufactured(8)
    residuals = solve(problem, np.where(problem.fixed, nodal, 0.0)).residuals
    before, after = residuals[-3:-1]
    assert after < 10 * before**1.8


def test_jacobian_is_the_derivative_of_the_residual() -> None:
    problem, nodal = manufactured(3)
    direction = np.random.default_rng(1).standard_normal(len(nodal))
    ahead, behind = (problem.residual(nodal + s * 1e-4 * direction) for s in (1, -1))
    slope = problem.jacobian(nodal, picard=False) @ direction
    np.testing.assert_allclose((ahead - behind) / 2e-4, slope, rtol=1e-6, atol=1e-8)


def test_a_rigid_rotation_has_no_divergence_on_curved_cells() -> None:
    space = TaylorHood.on(square(3))
    x, y = space.mesh.doflocs
    assert abs(space.divergence @ np.concatenate([-y, x])).max() < 1e-15


def test_running_out_of_steps_is_not_converged() -> None:
    problem, nodal = manufactured(4)
    start = np.where(problem.fixed, nodal, 0.0)
    end = newton(problem, start, picard=0, tolerance=1e-11, max_iterations=1, log=io.StringIO())
    assert end.outcome is Outcome.NOT_CONVERGED
    assert len(end.residuals) == 2


def test_a_singular_matrix_is_divergence() -> None:
    problem, nodal = manufactured(4)
    space = problem.space
    pressure_alone = np.arange(space.unknowns) < 2 * space.nodes  # a matrix of zeros
    start = nodal * (1 + np.arange(space.unknowns))  # far from free of divergence
    end = solve(Problem(space, VISCOSITY, pressure_alone, problem.load), start)
    assert end.outcome is Outcome.DIVERGED


def test_the_log_tells_each_residual() -> None:
    problem, nodal = manufactured(4)
    log = io.StringIO()
    end = newton(
        problem,
        np.where(problem.fixed, nodal, 0.0),
        picard=3,
        tolerance=1e-11,
        max_iterations=15,
        log=log,
    )
    assert log.getvalue().count("residual") == len(end.residuals)
