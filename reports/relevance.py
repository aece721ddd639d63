"""Which parameters a function depends on most.

[Jansen1999] M. J. W. Jansen, Analysis of variance designs for model output, Computer Physics
Communications 117, 1999.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.stats import qmc

from pools.space import ParameterSpace

Array = NDArray[np.float64]
Surface = Callable[[Array], Array]
"""One value for each point in the parameters' own units, shape (n, d) to (n,)."""

_POINTS = 256


def total_effects(space: ParameterSpace, surface: Surface) -> Array:
    """Return the variance that each parameter has a part in, shape (d,) [Jansen1999]."""
    both = qmc.Sobol(2 * space.d, rng=0).random(_POINTS)  # (n, 2 d)
    first, second = both[:, : space.d], both[:, space.d :]
    at_first = surface(space.denormalise(first))
    changes = [
        surface(space.denormalise(_with_column(first, second, column))) - at_first
        for column in range(space.d)
    ]
    effects: Array = 0.5 * np.mean(np.square(changes), axis=1)
    return effects


def most_relevant(space: ParameterSpace, surface: Surface, count: int) -> list[int]:
    """Return the columns of the parameters that matter most, in the space's own order."""
    effects = total_effects(space, surface)
    return sorted(np.argsort(-effects, kind="stable")[:count].tolist())


def _with_column(cube: Array, other: Array, column: int) -> Array:
    changed = cube.copy()
    changed[:, column] = other[:, column]
    return changed
