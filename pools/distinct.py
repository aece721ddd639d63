"""Which points are the same, to the bit."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def keys(rows: Array) -> list[bytes]:
    """Return what equal rows have in common, for each of `rows`, shape (n, d)."""
    canonical = np.ascontiguousarray(rows, np.float64) + 0.0  # minus zero is zero
    return [row.tobytes() for row in canonical]


def first_of_each(rows: Array, gone: Array) -> Array:
    """Return the rows, shape (n, d), that are not among `gone`, (m, d), each once, in order."""
    places: dict[bytes, int] = {}
    for place, key in enumerate(keys(rows)):
        places.setdefault(key, place)
    left = sorted(places[key] for key in places.keys() - set(keys(gone)))
    return rows[left]
