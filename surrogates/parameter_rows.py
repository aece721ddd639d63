"""Points that a surrogate is asked about: checked, and in blocks."""

import numpy as np
from numpy.typing import NDArray

from pools.errors import UsageError
from pools.space import ParameterSpace

Array = NDArray[np.float64]


def rows_of(parameters: Array, space: ParameterSpace, size: int) -> list[Array]:
    """Cut points in their own units, shape (n, d), into blocks of at most `size`.

    Raises:
        UsageError: `parameters` does not have `d` columns.
    """
    if parameters.ndim != 2 or parameters.shape[1] != space.d:
        raise UsageError(
            f"parameters of shape {parameters.shape}; the surrogate takes (n, {space.d}): one "
            f"column for each of {', '.join(space.names)}"
        )
    return [parameters[i : i + size] for i in range(0, len(parameters), size)]
