"""Scalars of vectors: a component, or the length."""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

AXES: Mapping[str, int] = MappingProxyType({"x": 0, "y": 1, "z": 2})
"""Columns of vectors and of coordinates, by name."""


def component_of(vectors: Array, component: str) -> Array:
    """Return a component (`x`, `y`, `z`) or the length (`magnitude`), shape (n, k) to (n,)."""
    if component == "magnitude":
        return np.asarray(np.linalg.norm(vectors, axis=1))
    return vectors[:, AXES[component]]
