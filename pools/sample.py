"""A design point and its identity."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

_ID_LENGTH = 16


@dataclass(frozen=True, slots=True)
class Sample:
    """One design point: its parameters in their own units, and its id.

    The id is a content hash of the solver's fingerprint (solver, template, numerics) and the
    parameters: the same question asked of the same solver is the same sample, anywhere.
    """

    id: str
    parameters: Mapping[str, float]

    @classmethod
    def of(cls, parameters: Mapping[str, float], solver: str) -> Self:
        """Make the sample of these parameters for the solver with this fingerprint."""
        values = {name: float(value) for name, value in parameters.items()}
        content = json.dumps({"parameters": values, "solver": solver}, sort_keys=True)
        return cls(hashlib.sha256(content.encode()).hexdigest()[:_ID_LENGTH], values)

    @classmethod
    def of_rows(cls, rows: NDArray[np.float64], names: Sequence[str], solver: str) -> list[Self]:
        """Make one sample of each row of values, shape (n, d)."""
        return [cls.of(dict(zip(names, row.tolist(), strict=True)), solver) for row in rows]

    def row(self, names: Sequence[str]) -> NDArray[np.float64]:
        """Return the parameters in this order, shape (d,)."""
        return np.array([self.parameters[name] for name in names])
