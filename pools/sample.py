"""A design point and its identity."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

_ID_LENGTH = 16


@dataclass(frozen=True, slots=True)
class Sample:
    """One design point: its parameters in their own units, and its id.

    The id is a content hash of the solver's fingerprint (solver, template, numerics) and the
    parameters: the same question asked of the same solver is the same sample, anywhere. So one
    point asked of two levels of a solver is two samples.

    Attributes:
        id: the content hash.
        parameters: by name, in their own units.
        level: name of the cheaper level of the solver that answers; empty for the solver itself.
    """

    id: str
    parameters: Mapping[str, float]
    level: str = ""

    @classmethod
    def of(cls, parameters: Mapping[str, float], solver: str, level: str = "") -> Self:
        """Make the sample of these parameters for the solver with this fingerprint."""
        values = {name: float(value) for name, value in parameters.items()}
        content = json.dumps({"parameters": values, "solver": solver}, sort_keys=True)
        return cls(hashlib.sha256(content.encode()).hexdigest()[:_ID_LENGTH], values, level)

    @classmethod
    def of_rows(cls, rows: NDArray[np.float64], names: Sequence[str], solver: str) -> list[Self]:
        """Make one sample of each row of values, shape (n, d)."""
        return [cls.of(dict(zip(names, row.tolist(), strict=True)), solver) for row in rows]

    def asked_of(self, level: str, solver: str) -> Self:
        """Return the same point for a level of the solver, which has this fingerprint."""
        return self.of(self.parameters, solver, level)

    def row(self, names: Sequence[str]) -> NDArray[np.float64]:
        """Return the parameters in this order, shape (d,)."""
        return np.array([self.parameters[name] for name in names])


def lean(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """Make the dict of a dataclass, as `asdict` asks for, without the level where it has none.

    So what is written of a solver without levels is what it was before there were any.
    """
    return {name: value for name, value in pairs if (name, value) != ("level", "")}
