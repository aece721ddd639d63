"""How the samples that were tried so far ended, and what they cost: solved or not."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Outcomes:
    """Every sample that was tried, in the order of asking; infrastructure faults say nothing.

    Attributes:
        parameters: in their own units, shape (t, d).
        solved: whether there is a solution, shape (t,).
        seconds: that the solver ran, all tries together, shape (t,).
    """

    parameters: Array
    solved: NDArray[np.bool_]
    seconds: Array

    @classmethod
    def of(cls, tried: Iterable[tuple[Array, bool, float]], d: int) -> Self:
        """Put samples together: parameters, shape (d,), whether solved, seconds."""
        found = list(tried)
        return cls(
            parameters=np.reshape([row for row, _, _ in found], (-1, d)).astype(np.float64),
            solved=np.array([solved for _, solved, _ in found], np.bool_),
            seconds=np.array([seconds for _, _, seconds in found], np.float64),
        )

    def __len__(self) -> int:
        return len(self.solved)

    @property
    def failures(self) -> int:
        """How many have no solution."""
        return int((~self.solved).sum())
