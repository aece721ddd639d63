"""A body-fitted quadrilateral mesh of fixed topology around an ellipse in a channel.

An O-grid fills the square block around the obstacle; a structured block follows downstream. Nodes
lie on a lattice twice as fine as the cells, so that each cell has the nine nodes of a biquadratic
element and the obstacle's boundary is curved (isoparametric). Only coordinates depend on the
obstacle; the lattice, and hence the order of the nodes, depends on the level alone.

[Schaefer1996] M. Schaefer, S. Turek, Benchmark computations of laminar flow around a cylinder,
Notes on Numerical Fluid Mechanics 52, 1996.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from skfem import MeshQuad2

Array = NDArray[np.float64]
Indices = NDArray[np.int64]

LENGTH = 2.2  # of the channel, in metres [Schaefer1996]
HEIGHT = 0.41  # of the channel, and the side of the O-grid's block
CENTRE_X = 0.2  # of the obstacle
CLEARANCE = 0.005  # least gap between obstacle and block that the cells can fill, in metres

_RADIAL_GRADING = 1.5  # logarithm of how much wider the outermost cell is than the innermost
_DOWNSTREAM_GRADING = 1.0


@dataclass(frozen=True, slots=True)
class Level:
    """How many cells: along a side of the block, from obstacle to block, and downstream."""

    side: int
    radial: int
    downstream: int


LEVELS: dict[Literal["coarse", "medium", "fine"], Level] = {
    "coarse": Level(side=8, radial=8, downstream=24),
    "medium": Level(side=12, radial=12, downstream=36),
    "fine": Level(side=20, radial=20, downstream=60),
}


@dataclass(frozen=True, slots=True)
class Obstacle:
    """An ellipse centred at (0.2 m, height).

    Attributes:
        semi_axis_a: half of the axis that lies along the flow at angle zero, in metres.
        semi_axis_b: half of the other axis, in metres.
        angle: rotation, counter-clockwise, in degrees.
        height: of the centre above the lower wall, in metres.
    """

    semi_axis_a: float
    semi_axis_b: float
    angle: float
    height: float

    @classmethod
    def of(cls, parameters: Mapping[str, float]) -> "Obstacle":
        """Take the obstacle's parameters out of a sample's."""
        names = ("semi_axis_a", "semi_axis_b", "angle", "height")
        return cls(*(parameters[name] for name in names))

    @property
    def centre(self) -> Array:
        """The centre in metres, shape (2,)."""
        return np.array([CENTRE_X, self.height])

    @property
    def stretch(self) -> Array:
        """The symmetric map of the unit circle to the ellipse, in metres, shape (2, 2)."""
        cos, sin = math.cos(math.radians(self.angle)), math.sin(math.radians(self.angle))
        rotation = np.array([[cos, -sin], [sin, cos]])
        return np.asarray(rotation * (self.semi_axis_a, self.semi_axis_b) @ rotation.T)

    def fault(self) -> str | None:
        """Return why no mesh fits around this obstacle, or None."""
        if not (self.semi_axis_a > 0 and self.semi_axis_b > 0):  # nan included
            return (
                f"the semi-axes are {self.semi_axis_a:g} and {self.semi_axis_b:g} m; both must be "
                "above 0: raise the lower bounds"
            )
        reach = np.linalg.norm(self.stretch, axis=1)  # half extents along x and y, (2,)
        gap = float(np.min([self.centre - reach, HEIGHT - self.centre - reach]))
        if not gap >= CLEARANCE:  # nan included
            return (
                f"the obstacle leaves a gap of {gap:.4g} m to the wall or to the end of its block "
                f"(0 to {HEIGHT} m in x and y); at least {CLEARANCE} m is needed: make it smaller "
                "or move it"
            )
        return None


def channel_mesh(obstacle: Obstacle, level: Level) -> MeshQuad2:
    """Return the mesh of biquadratic cells around an obstacle."""
    return MeshQuad2(_nodes(obstacle, level).T, _cells(level).T)


def _nodes(obstacle: Obstacle, level: Level) -> Array:
    """Return the lattice's coordinates, ring by ring, then column by column, shape (p, 2)."""
    outer = _block_boundary(level)  # (around, 2)
    turn = np.linspace(0, 2 * np.pi, len(outer), endpoint=False) - np.pi / 4
    circle = np.column_stack([np.cos(turn), np.sin(turn)])  # (around, 2)
    inner = obstacle.centre + circle @ obstacle.stretch
    share = _graded(2 * level.radial, _RADIAL_GRADING)[:, None, None]
    rings = inner + share * (outer - inner)  # (rings, around, 2)
    rings[-1] = outer  # to the last bit, since walls are found by their coordinates
    x = HEIGHT + (LENGTH - HEIGHT) * _graded(2 * level.downstream, _DOWNSTREAM_GRADING)[1:]
    x[-1] = LENGTH
    y = outer[: 2 * level.side + 1, 1]
    columns = np.stack(np.meshgrid(x, y, indexing="ij"), axis=-1)  # (columns, rows, 2)
    return np.concatenate([rings.reshape(-1, 2), columns.reshape(-1, 2)])


def _block_boundary(level: Level) -> Array:
    """Return the block's boundary counter-clockwise from its lower right corner, (around, 2)."""
    run = np.linspace(0, HEIGHT, 2 * level.side, endpoint=False)
    low, high = np.zeros_like(run), np.full_like(run, HEIGHT)
    back = HEIGHT - run
    sides = [(high, run), (back, high), (low, back), (run, low)]  # right, top, left, bottom
    return np.concatenate([np.column_stack(side) for side in sides])


def _graded(intervals: int, grading: float) -> Array:
    """Return `intervals + 1` positions from 0 to 1 whose spacing grows by exp(grading)."""
    return np.expm1(grading * np.linspace(0, 1, intervals + 1)) / math.expm1(grading)


def _cells(level: Level) -> Indices:
    """Return the nine nodes of each cell in scikit-fem's order, shape (cells, 9)."""
    around, rows = 8 * level.side, 2 * level.side + 1
    rings = np.arange((2 * level.radial + 1) * around).reshape(-1, around)
    ring_grid = np.column_stack([rings, rings[:, 0]])  # closed: the last column is the first
    columns = rings.size + np.arange(2 * level.downstream * rows).reshape(-1, rows)
    column_grid = np.vstack([ring_grid[-1, :rows], columns])
    return np.concatenate([_patches(ring_grid), _patches(column_grid)])


def _patches(grid: Indices) -> Indices:
    """Cut a lattice into 3 by 3 patches, counter-clockwise in the lattice's own axes."""
    m, n = grid.shape
    order = [(0, 0), (2, 0), (2, 2), (0, 2), (1, 0), (2, 1), (1, 2), (0, 1), (1, 1)]
    nodes = [grid[i : m - 2 + i : 2, j : n - 2 + j : 2].ravel() for i, j in order]
    return np.column_stack(nodes)
