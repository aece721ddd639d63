"""The unlabeled pool: points that may be asked for, and the design sequence that goes on."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from pools.domain import Domain
from pools.sample import Sample

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class CandidatePool:
    """Points that may be asked for at this step.

    Attributes:
        parameters: in their own units, shape (n, d).
        names: names of the parameters, in column order.
        solver: fingerprint of the solver that would answer.
    """

    parameters: Array
    names: tuple[str, ...]
    solver: str

    def __len__(self) -> int:
        return len(self.parameters)

    def __getitem__(self, index: int) -> Sample:
        row = self.parameters[index].tolist()
        return Sample.of(dict(zip(self.names, row, strict=True)), self.solver)


@dataclass(frozen=True, slots=True, eq=False)
class DesignSequence:
    """The scrambled Sobol' sequence that the initial design began.

    Attributes:
        domain: where it is drawn; points that do not meet its constraints are passed over.
        seed: seed of the scrambling.
        used: how many of its points, of those that meet them, were asked for so far.
        solver: fingerprint of the solver that would answer.
        others: points that others asked for, shape (m, d); passed over where there are only so
            many points that they may come again.
    """

    domain: Domain
    seed: int
    used: int
    solver: str
    others: Array | None = None

    def next(self, k: int) -> Sequence[Sample]:
        """Return the sequence's next `k` points; fewer where there are no more."""
        rows = self.domain.sobol(k, self.seed, skip=self.used, others=self.others)
        return Sample.of_rows(rows, self.domain.names, self.solver)

    def behind(self, picked: int, others: Array) -> Self:
        """Return the sequence behind its next `picked` points, without `others`, shape (m, d)."""
        known = others if self.others is None else np.concatenate([self.others, others])
        return replace(self, used=self.used + picked, others=known)
