"""The discrete flow past one obstacle: boundary values, forces, and states as fields.

The channel, its parabolic inflow (mean velocity 0.2 m/s), its no-slip walls and its do-nothing
outflow are those of the benchmark's case 2D-1, and so is every reference scale, whatever the
obstacle: Re = U D / nu with U = 0.2 m/s and D = 0.1 m, and coefficients are forces over
U^2 D / 2. The benchmark itself is Re = 20, both semi-axes 0.05 m, angle 0, height 0.2 m.

[Schaefer1996] M. Schaefer, S. Turek, Benchmark computations of laminar flow around a cylinder,
Notes on Numerical Fluid Mechanics 52, 1996.
[Gresho1998] P. M. Gresho, R. L. Sani, Incompressible Flow and the Finite Element Method, Wiley,
1998: boundary forces from the residual, which converge at twice the order of the fluxes.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from pools.solution import Mesh
from solvers.channel_mesh import HEIGHT, LENGTH, Level, Obstacle, channel_mesh
from solvers.navier_stokes import Array, Indices, Problem, TaylorHood

MEAN_VELOCITY = 0.2  # of the inflow, in m/s [Schaefer1996]
REFERENCE_LENGTH = 0.1  # the benchmark's diameter, in metres [Schaefer1996]

_SUB_QUADS = np.array([[0, 4, 8, 7], [4, 1, 5, 8], [8, 5, 2, 6], [7, 8, 6, 3]])  # of nine nodes


@dataclass(frozen=True, eq=False)
class ChannelFlow:
    """The discrete flow past one obstacle [Schaefer1996]."""

    space: TaylorHood
    obstacle: Obstacle

    @classmethod
    def past(cls, obstacle: Obstacle, level: Level) -> "ChannelFlow":
        """Mesh the channel around an obstacle."""
        return cls(TaylorHood.on(channel_mesh(obstacle, level)), obstacle)

    @cached_property
    def boundary(self) -> Indices:
        """All nodes of the boundary."""
        mesh = self.space.mesh
        facets = mesh.boundary_facets()
        return np.union1d(mesh.facets[:, facets], mesh.dofs.facet_dofs[:, facets])

    @cached_property
    def fixed(self) -> NDArray[np.bool_]:
        """Which unknowns have boundary values: velocities on inflow, walls and obstacle."""
        x, y = self.space.mesh.doflocs[:, self.boundary]
        outflow = (x == LENGTH) & (y > 0) & (y < HEIGHT)
        nodes = self.boundary[~outflow]
        mask = np.zeros(self.space.unknowns, dtype=np.bool_)
        mask[nodes] = mask[self.space.nodes + nodes] = True
        return mask

    @cached_property
    def surface(self) -> Indices:
        """The nodes on the obstacle."""
        x, y = self.space.mesh.doflocs[:, self.boundary]
        return np.asarray(self.boundary[(x > 0) & (x < LENGTH) & (y > 0) & (y < HEIGHT)])

    def problem(self, reynolds: float) -> Problem:
        """Return the discrete equations at a Reynolds number."""
        return Problem(self.space, MEAN_VELOCITY * REFERENCE_LENGTH / reynolds, self.fixed)

    def at_rest(self) -> Array:
        """Return the state that is the parabola at the inflow and nothing elsewhere."""
        x, y = self.space.mesh.doflocs
        state = np.zeros(self.space.unknowns)
        parabola = 6 * MEAN_VELOCITY * y * (HEIGHT - y) / HEIGHT**2
        state[: self.space.nodes] = np.where(x == 0, parabola, 0.0)
        return state

    def quantities(self, problem: Problem, state: Array) -> dict[str, float]:
        """Return the force coefficients [Gresho1998] and the pressure difference in m2/s2."""
        momentum = self.space.velocity(problem.residual(state))  # (2, nodes)
        force = -momentum[:, self.surface].sum(axis=1)  # on the obstacle, over density, m3/s2
        drag, lift = force / (0.5 * MEAN_VELOCITY**2 * REFERENCE_LENGTH)
        front, back = self._surface_pressure(state, np.array([math.pi, 0.0]))
        return {
            "drag": float(drag),
            "lift": float(lift),
            "pressure_difference": float(front - back),
        }

    def residual(self, problem: Problem, state: Array) -> float:
        """Return how far a state is from solving the equations, without unit.

        Momentum is measured in U^2 / D and mass in U / D, whatever the obstacle and the viscosity.
        """
        rate = MEAN_VELOCITY / REFERENCE_LENGTH  # 1/s
        momentum, mass = problem.strong_residual(state)
        return math.hypot(momentum / (MEAN_VELOCITY * rate), mass / rate)

    def fields(self, state: Array) -> dict[str, Array]:
        """Return u, v and p at all nodes, each of shape (nodes,)."""
        u, v = self.space.velocity(state)
        return {"u": u, "v": v, "p": self.space.pressure_at_nodes(state)}

    def state(self, fields: Mapping[str, Array]) -> Array:
        """Return the state whose fields these are, to the last bit: undo `fields`."""
        return np.concatenate([fields["u"], fields["v"], fields["p"][: self.space.corners]])

    def with_boundary(self, fields: Mapping[str, Array]) -> Array:
        """Return the state of these fields inside and of this flow's values on the boundary."""
        return np.where(self.fixed, self.at_rest(), self.state(fields))

    def mesh(self) -> Mesh:
        """Return the mesh that carries the fields: each cell cut into four at its nodes."""
        quads = self.space.cells[_SUB_QUADS]  # (4, 4, cells): sub-quad, corner, cell
        flat = quads.transpose(2, 0, 1).reshape(-1, 4)
        return Mesh.of_quads(self.space.mesh.doflocs.T, flat)

    def _surface_pressure(self, state: Array, angles: Array) -> Array:
        """Interpolate the pressure on the obstacle at polar angles about its centre, (n,)."""
        corners = self.surface[self.surface < self.space.corners]
        x, y = self.space.mesh.doflocs[:, corners] - self.obstacle.centre[:, None]
        around = np.arctan2(y, x)
        return np.interp(angles, around, self.space.pressure(state)[corners], period=2 * math.pi)
