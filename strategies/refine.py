"""Local refinement of chosen candidates: uphill in the learner's variance, by projected gradient.

A pool is only so dense; the largest variance near a candidate lies between it and the next.
"""

import numpy as np
from numpy.typing import NDArray

from pools.domain import Domain
from pools.space import ParameterSpace
from surrogates.prediction import Learner

Array = NDArray[np.float64]

_FARTHEST = 0.1  # of the unit cube's side, however far the next point is
_DIFFERENCE = 1e-3  # of the side, for the gradient: networks compute in single precision


def refined(
    chosen: Array, known: Array, learner: Learner, domain: Domain, steps: int = 12
) -> Array:
    """Move chosen points to larger variance, each within half the way to its nearest neighbour.

    Only real parameters change. A point whose variance does not rise stays as it is, to the bit;
    so no two points meet, and what is returned is never less wanted than what was chosen.

    Args:
        chosen: points, shape (k, d).
        known: points to keep away from, such as the labelled ones, shape (m, d).
        learner: whose variance.
        domain: bounds and constraints, which are met.
        steps: how often each point is tried to be moved.

    Returns:
        Shape (k, d).

    Raises:
        UsageError: the learner has no spread.
    """
    if not len(chosen):
        return chosen
    space, rows = domain.space, chosen
    start = cube = space.normalise(chosen)
    radius = _radii(start, space.normalise(known))  # (k, 1)
    size, scores = radius / 2, learner.uncertainty(rows)
    for _ in range(steps):
        uphill = cube + size * _direction(cube, rows, learner, space)
        trial = _within(uphill, start, radius)
        trial_rows = _rows(trial, rows, space)
        found = learner.uncertainty(trial_rows)
        better = ((found > scores) & domain.met(trial_rows))[:, None]  # (k, 1)
        cube, rows = np.where(better, trial, cube), np.where(better, trial_rows, rows)
        scores = np.where(better[:, 0], found, scores)
        size = np.where(better, size, size / 2)
    return rows


def _radii(cube: Array, known: Array) -> Array:
    """Return how far each point, shape (k, d), may go, shape (k, 1)."""
    others = np.concatenate([cube, known])  # (k + m, d)
    distances = np.linalg.norm(cube[:, None] - others[None], axis=-1)  # (k, k + m)
    np.fill_diagonal(distances, np.inf)
    radii: Array = np.minimum(distances.min(axis=1, keepdims=True) / 2, _FARTHEST)
    return radii


def _direction(cube: Array, rows: Array, learner: Learner, space: ParameterSpace) -> Array:
    """Return the unit vector of steepest ascent at each point, shape (k, d), by differences.

    It is zero in parameters that are not real, and where the variance is flat.
    """
    gradient = np.zeros_like(cube)
    for column in np.flatnonzero(_is_real(space)):
        ends = []
        for sign in (-1, 1):
            moved = cube.copy()
            moved[:, column] = np.clip(moved[:, column] + sign * _DIFFERENCE, 0, 1)
            ends.append((moved[:, column], learner.uncertainty(_rows(moved, rows, space))))
        (before, low), (after, high) = ends
        gradient[:, column] = (high - low) / (after - before)
    length = np.linalg.norm(gradient, axis=1, keepdims=True)
    unit: Array = np.divide(gradient, length, out=np.zeros_like(gradient), where=length > 0)
    return unit


def _within(cube: Array, start: Array, radius: Array) -> Array:
    """Return the points, shape (k, d), pulled into the balls around their starts and the cube."""
    moved = cube - start
    length = np.linalg.norm(moved, axis=1, keepdims=True)
    factor = np.minimum(1, np.divide(radius, length, out=np.ones_like(length), where=length > 0))
    within: Array = np.clip(start + moved * factor, 0, 1)
    return within


def _rows(cube: Array, rows: Array, space: ParameterSpace) -> Array:
    """Return values in their own units; those of parameters that are not real as in `rows`."""
    low, high = np.array([(p.low, p.high) for p in space.root.values()]).T
    return np.where(_is_real(space), np.clip(space.denormalise(cube), low, high), rows)


def _is_real(space: ParameterSpace) -> NDArray[np.bool_]:
    return np.array([parameter.type == "real" for parameter in space.root.values()])
