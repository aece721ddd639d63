"""The numbers that say how good a learner is."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Spread:
    """How an error is distributed over the samples."""

    mean: float
    median: float
    q95: float
    max: float

    @classmethod
    def of(cls, errors: Array) -> Self:
        """Summarise errors, shape (m,)."""
        median, q95 = np.quantile(errors, [0.5, 0.95]).tolist()
        return cls(float(errors.mean()), median, q95, float(errors.max()))


@dataclass(frozen=True, slots=True)
class FieldMetrics:
    """How well one field is predicted.

    Attributes:
        unit: of the field.
        relative_l2: area-weighted L2 norm of each sample's error over that of its truth.
        coverage90: share of the area where the central 90 % interval holds the truth.
    """

    unit: str
    relative_l2: Spread
    coverage90: float


@dataclass(frozen=True, slots=True)
class QuantityMetrics:
    """How well one quantity of interest is predicted.

    Attributes:
        unit: of the quantity.
        rmse: root mean square error, in that unit.
        nrmse: the same over the truths' standard deviation; of a constant quantity over its size.
        r2: coefficient of determination; None for a constant quantity.
        coverage90: share of the samples whose central 90 % interval holds the truth.
        mean_std: mean of the predicted standard deviations, in that unit.
    """

    unit: str
    rmse: float
    nrmse: float
    r2: float | None
    coverage90: float
    mean_std: float


@dataclass(frozen=True, slots=True)
class Metrics:
    """How good a learner is.

    Attributes:
        error: the headline: mean over fields' mean relative L2 and quantities' normalised RMSE.
        samples: how many samples it was measured on.
        fields: by name.
        quantities: by name.
        spearman: rank correlation of the learner's uncertainty and the samples' errors; None where
            either does not vary. A diagnosis, no measure of success: it falls for good strategies.
    """

    error: float
    samples: int
    fields: Mapping[str, FieldMetrics]
    quantities: Mapping[str, QuantityMetrics]
    spearman: float | None = None

    @property
    def errors(self) -> dict[str, float]:
        """What `error` is the mean of: `fields.NAME` and `quantities.NAME`."""
        return {
            **{f"fields.{name}": field.relative_l2.mean for name, field in self.fields.items()},
            **{f"quantities.{name}": each.nrmse for name, each in self.quantities.items()},
        }

    def to_json(self) -> dict[str, Any]:
        """Return all numbers as JSON; what is undefined is None, never NaN."""
        return asdict(self)

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Read what `to_json` gave; other keys are passed over."""
        return cls(
            error=content["error"],
            samples=content["samples"],
            fields={name: _field_from_json(field) for name, field in content["fields"].items()},
            quantities={name: QuantityMetrics(**q) for name, q in content["quantities"].items()},
            spearman=content["spearman"],
        )


def _field_from_json(content: Mapping[str, Any]) -> FieldMetrics:
    return FieldMetrics(**{**content, "relative_l2": Spread(**content["relative_l2"])})
