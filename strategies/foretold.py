"""A sample that was predicted before it was learnt from."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from statistics import fmean
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Foretold:
    """One sample that was predicted before it was learnt from.

    Attributes:
        sample: its id.
        step: the step that asked for it, and whose surrogate foretold it.
        errors: by `fields.NAME`, the relative L2 error; by `quantities.NAME`, the absolute error
            in standard deviations of the training pool.
        covered: by the same names, the share inside the central 90 % interval.
        variance: the learner's, in units of the pool's; None of an ensemble of one.
    """

    sample: str
    step: int
    errors: Mapping[str, float]
    covered: Mapping[str, float]
    variance: float | None

    @property
    def error(self) -> float:
        """The mean of its errors."""
        return fmean(self.errors.values())

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        return asdict(self)

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Read what `to_json` gave."""
        return cls(**content)
