"""Which centre each candidate is nearest to, while centres are added.

All in float32 and in blocks, so that a million candidates take little more memory than their
features. Squared distances are |x|^2 - 2 x.c + |c|^2.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Self

import numpy as np
from numpy.typing import NDArray

Features = NDArray[np.float32]
Indices = NDArray[np.intp]

_WIDE = 1 << 22  # distances to labelled points that are held at a time: 16 MiB
_THIN = 1024  # candidates at a time for a few centres: their features stay in the cache


@dataclass(slots=True, eq=False)
class Cover:
    """The nearest centre of each candidate; labelled points and chosen candidates are centres.

    Attributes:
        rows: features of the candidates, shape (n, D).
        norms: their squared norms, shape (n,).
        nearest: number of the nearest centre, labelled points first, shape (n,).
        distances: squared distance to it, infinite without a centre, shape (n,).
        centres: how many centres there are.
    """

    rows: Features
    norms: Features
    nearest: Indices
    distances: Features
    centres: int
    _columns: dict[int, Features] = field(default_factory=dict)

    @classmethod
    def of(cls, candidates: Features, labelled: Features) -> Self:
        """Cover candidates, shape (n, D), by labelled points, shape (m, D)."""
        rows = np.ascontiguousarray(candidates, np.float32)
        norms = _squared_norms(rows)
        nearest, distances = _nearest(rows, norms, np.asarray(labelled, np.float32))
        return cls(rows, norms, nearest, distances, len(labelled))

    def has_measured(self, index: int) -> bool:
        """Say whether `measure` was called for a candidate."""
        return index in self._columns

    def measure(self, indices: Sequence[int]) -> None:
        """Find every candidate's distance to some that may become centres, in one pass.

        A pass over the features costs little more for a few of them than for one.
        """
        centres = self.rows[indices]
        columns = np.empty((len(indices), len(self.rows)), np.float32)
        for block in _blocks(len(self.rows), _THIN):
            np.matmul(-2 * centres, self.rows[block].T, out=columns[:, block])
        columns += self.norms
        columns += self.norms[indices][:, np.newaxis]
        self._columns = dict(zip(indices, np.maximum(columns, 0, out=columns), strict=True))

    def add(self, index: int) -> None:
        """Make a measured candidate a centre."""
        column = self._columns[index]
        closer = np.flatnonzero(column < self.distances)
        self.nearest[closer] = self.centres
        self.distances[closer] = column[closer]
        self.nearest[index], self.distances[index] = self.centres, 0.0
        self.centres += 1


def _nearest(rows: Features, norms: Features, centres: Features) -> tuple[Indices, Features]:
    """Return each row's nearest centre, the first of equals, and the squared distance to it."""
    n, m = len(rows), len(centres)
    nearest, distances = np.zeros(n, np.intp), np.full(n, np.inf, np.float32)
    if m == 0:
        return nearest, distances
    scaled, offsets = np.ascontiguousarray(-2 * centres.T), _squared_norms(centres)
    for block in _blocks(n, max(_WIDE // m, 1)):
        relative = rows[block] @ scaled  # (rows of the block, m)
        relative += offsets
        nearest[block] = best = relative.argmin(axis=1)
        found = norms[block] + relative[np.arange(len(relative)), best]
        distances[block] = np.maximum(found, 0)  # rounding may leave a little less
    return nearest, distances


def _blocks(n: int, size: int) -> Iterator[slice]:
    return (slice(start, start + size) for start in range(0, n, size))


def _squared_norms(rows: Features) -> Features:
    norms: Features = np.einsum("ij,ij->i", rows, rows, dtype=np.float32)
    return norms
