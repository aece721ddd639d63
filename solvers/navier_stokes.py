"""Steady incompressible Navier-Stokes with Taylor-Hood quadrilaterals, solved by Newton.

Momentum: -nu Laplace(u) + (u . grad) u + grad p = f; mass: div u = 0, with the kinematic pressure.
Velocity is biquadratic and pressure bilinear and continuous [TaylorHood1973]. A state is one
vector: u at all nodes, v at all nodes, p at the cells' corners, shape (2 nodes + corners,).

[TaylorHood1973] C. Taylor, P. Hood, A numerical solution of the Navier-Stokes equations using the
finite element technique, Computers & Fluids 1, 1973.
[Dennis1983] J. E. Dennis, R. B. Schnabel, Numerical Methods for Unconstrained Optimization and
Nonlinear Equations, Prentice-Hall, 1983: Newton's method with backtracking.
[Hinton1976] E. Hinton, T. Rock, O. C. Zienkiewicz, A note on mass lumping and related processes in
the finite element method, Earthquake Engineering & Structural Dynamics 4, 1976.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, TextIO

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import block_array, coo_array, csc_array, csr_array
from scipy.sparse.linalg import splu
from skfem import Basis, ElementQuad1, ElementQuad2, MeshQuad2

from pools.outcome import Outcome

Array = NDArray[np.float64]
Indices = NDArray[np.int64]
Mask = NDArray[np.bool_]
Sparse = Any  # a scipy sparse array; scipy ships no types

_EXACT_DEGREE = 6  # of the convection term in each direction, on straight cells
_PIVOT = 1e-3  # least diagonal pivot over its column; at SuperLU's own 1 the fill grows 4-fold
_HALVINGS = 4  # of a Newton step, at most
_DECREASE = 0.1  # of the residual, as a share of the step's length, for a step to be taken
_GROWTH = 1e4  # of the residual over its smallest so far, beyond which Newton has diverged


@dataclass(frozen=True, eq=False)
class TaylorHood:
    """The discrete operators on one mesh [TaylorHood1973].

    Attributes:
        mesh: cells of nine nodes; scikit-fem numbers corners first.
        phi: biquadratic shape functions at quadrature points, shape (9, quad).
        slopes: their gradients, shape (2, cells, quad, 9).
        area: quadrature weights in square metres, shape (cells, quad); negative where a cell is
            turned inside out.
        psi: bilinear shape functions at quadrature points, shape (4, quad).
    """

    mesh: MeshQuad2
    phi: Array
    slopes: Array
    area: Array
    psi: Array

    @classmethod
    def on(cls, mesh: MeshQuad2) -> "TaylorHood":
        """Evaluate shape functions on a mesh."""
        basis = Basis(mesh, ElementQuad2(), intorder=_EXACT_DEGREE, disable_doflocs=True)
        functions = [shape for (shape,) in basis.basis]
        return cls(
            mesh=mesh,
            phi=np.array([np.asarray(shape)[0] for shape in functions]),
            slopes=np.stack([shape.grad for shape in functions], axis=-1),
            area=basis.mapping.detDF(basis.X) * basis.W,
            psi=np.array([ElementQuad1().lbasis(basis.X, k)[0] for k in range(4)]),
        )

    @property
    def nodes(self) -> int:
        """The number of velocity nodes."""
        return int(self.mesh.doflocs.shape[1])

    @property
    def corners(self) -> int:
        """The number of pressure nodes; they are the first of the velocity nodes."""
        return int(self.mesh.nvertices)

    @property
    def unknowns(self) -> int:
        """The length of a state."""
        return 2 * self.nodes + self.corners

    @cached_property
    def cells(self) -> Indices:
        """The nodes of each cell, shape (9, cells)."""
        return np.asarray(self.mesh.dofs.element_dofs, dtype=np.int64)

    @cached_property
    def laplacian(self) -> Sparse:
        """Integrals of grad phi_i . grad phi_j, shape (nodes, nodes)."""
        weighted = self.slopes * self.area[..., None]
        return self._square(np.einsum("aeqi,aeqj->eij", weighted, self.slopes, optimize=True))

    @cached_property
    def divergence(self) -> Sparse:
        """Integrals of psi_k times the divergence, shape (corners, 2 nodes)."""
        weighted = self.slopes * self.area[..., None]
        local = np.einsum("kq,aeqj->aekj", self.psi, weighted, optimize=True)  # (2, cells, 4, 9)
        parts = [self._scatter(part, self.mesh.t, self.corners) for part in local]
        return block_array([parts], format="csr")

    @cached_property
    def velocity_area(self) -> Array:
        """The area in square metres that each velocity node stands for, shape (nodes,)."""
        return self._shares(self.phi, self.cells, self.nodes)

    @cached_property
    def pressure_area(self) -> Array:
        """The area in square metres that each pressure node stands for, shape (corners,)."""
        return self._shares(self.psi, self.mesh.t, self.corners)

    def velocity(self, state: Array) -> Array:
        """Return the velocity at the nodes, shape (2, nodes)."""
        return state[: 2 * self.nodes].reshape(2, -1)

    def pressure(self, state: Array) -> Array:
        """Return the kinematic pressure at the corners, shape (corners,)."""
        return state[2 * self.nodes :]

    def pressure_at_nodes(self, state: Array) -> Array:
        """Return the bilinear pressure at all nodes, corners first, shape (nodes,)."""
        at = self.pressure(state)
        middles, centres = at[self.mesh.facets].mean(axis=0), at[self.mesh.t].mean(axis=0)
        return np.concatenate([at, middles, centres])

    def convection(self, velocity: Array) -> Sparse:
        """Integrals of phi_i (w . grad) phi_j for a velocity w, shape (nodes, nodes)."""
        at = np.einsum("iq,aie->aeq", self.phi, velocity[:, self.cells], optimize=True)
        along = np.einsum("aeq,aeqj->eqj", at * self.area, self.slopes)  # (cells, quad, 9)
        return self._square(self.phi @ along)

    def reaction(self, velocity: Array) -> list[list[Sparse]]:
        """Integrals of phi_i phi_j d_b w_a for a velocity w, as blocks [a][b]."""
        slopes = np.einsum("beqi,aie->abeq", self.slopes, velocity[:, self.cells], optimize=True)
        pairs = np.einsum("iq,jq->qij", self.phi, self.phi).reshape(-1, 81)  # (quad, 81)
        local = (slopes * self.area) @ pairs  # (2, 2, cells, 81)
        return [[self._square(block.reshape(-1, 9, 9)) for block in row] for row in local]

    def _shares(self, functions: Array, nodes: Indices, count: int) -> Array:
        """Divide each cell's area in proportion to the diagonal of its mass matrix [Hinton1976].

        All are positive, on curved cells too, where plain row sums need not be.
        """
        diagonal = functions**2 @ self.area.T  # (functions, cells)
        local = diagonal * (self.area.sum(axis=1) / diagonal.sum(axis=0))
        return np.asarray(np.bincount(nodes.ravel(), local.ravel(), minlength=count), np.float64)

    def _square(self, local: Array) -> Sparse:
        return self._scatter(local, self.cells, self.nodes)

    def _scatter(self, local: Array, rows: Indices, height: int) -> Sparse:
        """Sum cell matrices, shape (cells, r, 9), into a sparse one, shape (height, nodes)."""
        i = np.broadcast_to(rows.T[:, :, None], local.shape)
        j = np.broadcast_to(self.cells.T[:, None, :], local.shape)
        entries = (local.ravel(), (i.ravel(), j.ravel()))
        return csr_array(coo_array(entries, shape=(height, self.nodes)))


@dataclass(frozen=True, eq=False)
class Problem:
    """The discrete equations: residual(state) = 0 at the free unknowns.

    Attributes:
        space: the discrete operators.
        viscosity: kinematic, in square metres per second.
        fixed: which unknowns keep the value that they start with, shape (unknowns,).
        load: the body force tested with the shape functions, shape (unknowns,); zero by default.
    """

    space: TaylorHood
    viscosity: float
    fixed: Mask
    load: Array | float = 0.0

    def residual(self, state: Array) -> Array:
        """Return the residual: at a fixed velocity, the force of the boundary on the fluid."""
        return np.asarray(self.jacobian(state, picard=True) @ state - self.load)

    def strong_residual(self, state: Array) -> tuple[float, float]:
        """Return how far a state is from balancing momentum, in m/s2, and mass, in 1/s.

        Root mean squares over the area of the free residual, each node's over the area that it
        stands for. The cost is that of assembling the equations once: nothing is solved.
        """
        residual = np.where(self.fixed, 0.0, self.residual(state))
        momentum, mass = self.space.velocity(residual), self.space.pressure(residual)
        area = float(self.space.area.sum())
        return (
            float(np.sqrt(np.sum(momentum**2 / self.space.velocity_area) / area)),
            float(np.sqrt(np.sum(mass**2 / self.space.pressure_area) / area)),
        )

    def jacobian(self, state: Array, *, picard: bool) -> Sparse:
        """Return the residual's derivative; Picard's holds the convecting velocity fixed."""
        velocity = self.space.velocity(state)
        convection = self.space.convection(velocity)
        if picard:
            return self._operator([[convection, None], [None, convection]])
        (xx, xy), (yx, yy) = self.space.reaction(velocity)
        return self._operator([[convection + xx, xy], [yx, convection + yy]])

    def _operator(self, transport: list[list[Sparse | None]]) -> Sparse:
        (xx, xy), (yx, yy) = transport
        diffusion = self.viscosity * self.space.laplacian
        div = self.space.divergence
        div_x, div_y = div[:, : self.space.nodes], div[:, self.space.nodes :]
        blocks = [
            [diffusion + xx, xy, -div_x.T],
            [yx, diffusion + yy, -div_y.T],
            [-div_x, -div_y, None],
        ]
        return block_array(blocks, format="csr")


@dataclass(frozen=True, eq=False)
class Iterations:
    """How an iteration ended.

    Attributes:
        state: the last state, shape (unknowns,).
        outcome: ok, not_converged or diverged.
        residuals: free residual over boundary force, before each step and at the end.
    """

    state: Array
    outcome: Outcome
    residuals: list[float]


def newton(
    problem: Problem,
    start: Array,
    *,
    picard: int,
    tolerance: float,
    max_iterations: int,
    log: TextIO,
) -> Iterations:
    """Solve by Picard steps and then damped Newton steps [Dennis1983].

    Args:
        problem: the discrete equations.
        start: the first state, which has the boundary values, shape (unknowns,).
        picard: how many of the first steps are Picard's, which converge from further away.
        tolerance: of the norm of the free residual over that of the boundary force.
        max_iterations: how many steps to try.
        log: where each step's residual is written.
    """
    state, residual = start, problem.residual(start)
    residuals = [_relative(residual, problem.fixed)]
    _tell(log, residuals)
    for iteration in range(max_iterations):
        if residuals[-1] <= tolerance:
            break
        step = _step(problem, state, residual, picard=iteration < picard)
        halvings = 0 if iteration < picard else _HALVINGS
        state, residual = _move(problem, state, residual, step, halvings)
        residuals.append(_relative(residual, problem.fixed))
        _tell(log, residuals)
        if not residuals[-1] <= _GROWTH * min(residuals):  # so that nan counts as growth
            return Iterations(state, Outcome.DIVERGED, residuals)
    ok = residuals[-1] <= tolerance
    return Iterations(state, Outcome.OK if ok else Outcome.NOT_CONVERGED, residuals)


def _tell(log: TextIO, residuals: list[float]) -> None:
    log.write(f"iteration {len(residuals) - 1:2d}  residual {residuals[-1]:.3e}\n")


def _relative(residual: Array, fixed: Mask) -> float:
    """Return the norm of the free residual over that of the force on the boundary."""
    force = np.linalg.norm(residual[fixed])
    return float(np.linalg.norm(residual[~fixed]) / max(force, np.finfo(np.float64).tiny))


def _step(problem: Problem, state: Array, residual: Array, *, picard: bool) -> Array:
    """Return the correction to subtract, shape (unknowns,); nan when the matrix is singular."""
    free = np.flatnonzero(~problem.fixed)
    matrix = csc_array(problem.jacobian(state, picard=picard)[free][:, free])
    step = np.zeros_like(state)
    try:
        factors = splu(matrix, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=_PIVOT)
        step[free] = factors.solve(residual[free])
    except RuntimeError:  # SuperLU: "Factor is exactly singular"
        step[free] = np.nan
    return step


def _move(
    problem: Problem, state: Array, residual: Array, step: Array, halvings: int
) -> tuple[Array, Array]:
    """Return state and residual after the step, halved until the free residual falls."""
    free = ~problem.fixed
    before = np.linalg.norm(residual[free])
    for length in 0.5 ** np.arange(halvings + 1):
        moved = state - length * step
        after = problem.residual(moved)
        if np.linalg.norm(after[free]) < (1 - _DECREASE * length) * before:
            break
    return moved, after
