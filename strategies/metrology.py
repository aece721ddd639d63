"""How good the learner is on samples that it never learns from.

[Gneiting2007] T. Gneiting and A. E. Raftery, Strictly proper scoring rules, prediction, and
estimation, JASA 102(477), 2007: coverage of central intervals.
"""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm, spearmanr

from pools.files import publish_json
from pools.training import Block, TrainingPool
from strategies.protocols import DriverProtocol
from strategies.query import attached
from surrogates.prediction import Learner, Prediction

Array = NDArray[np.float64]

HALF_WIDTH_90 = float(norm.ppf(0.95))
"""Half width of the central 90 % interval, in standard deviations."""
_BLOCK = 16


@dataclass(frozen=True, slots=True)
class Spread:
    """How an error is distributed over the samples."""

    mean: float
    median: float
    q95: float
    max: float

    @classmethod
    def of(cls, errors: Array) -> "Spread":
        """Summarise errors, shape (n,)."""
        q95 = float(np.quantile(errors, 0.95))
        return cls(float(errors.mean()), float(np.median(errors)), q95, float(errors.max()))


@dataclass(frozen=True, slots=True)
class FieldMetrics:
    """One field.

    Attributes:
        unit: of the field.
        relative_l2: per sample, the area-weighted L2 norm of the error over that of the truth.
        coverage90: share of the area where the truth lies in the central 90 % interval.
    """

    unit: str
    relative_l2: Spread
    coverage90: float


@dataclass(frozen=True, slots=True)
class QuantityMetrics:
    """One quantity of interest.

    Attributes:
        unit: of the quantity.
        rmse: root mean square error, in the unit.
        nrmse: over the standard deviation of the truths; None where they do not vary.
        r2: coefficient of determination; None where the truths do not vary.
        coverage90: share of the samples whose truth lies in the central 90 % interval.
        mean_std: mean of the predicted standard deviations, in the unit.
    """

    unit: str
    rmse: float
    nrmse: float | None
    r2: float | None
    coverage90: float
    mean_std: float


@dataclass(frozen=True, slots=True)
class Metrics:
    """The learner on a test set.

    Attributes:
        samples: how many.
        error: the headline: mean over the fields' mean relative L2 and the quantities' normalised
            RMSE.
        spearman: rank correlation of uncertainty and error over the samples; None where either is
            constant. It falls for good strategies: a diagnostic, no measure of success.
        fields: by name.
        quantities: by name.
    """

    samples: int
    error: float
    spearman: float | None
    fields: dict[str, FieldMetrics]
    quantities: dict[str, QuantityMetrics]

    def to_json(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        return asdict(self)


def evaluate(learner: Learner, pool: TrainingPool) -> Metrics:
    """Measure a learner on every sample of a pool, a few samples at a time."""
    blocks = [_Measured.of(learner.predict(b.parameters), b) for b in pool.blocks(_BLOCK)]
    errors = np.concatenate([block.relative_l2 for block in blocks])  # (n, c)
    inside = np.concatenate([block.inside for block in blocks])  # (n, c)
    mean = np.concatenate([block.mean for block in blocks])  # (n, q)
    std = np.concatenate([block.std for block in blocks])  # (n, q)
    fields = {
        name: FieldMetrics(unit, Spread.of(errors[:, i]), float(inside[:, i].mean()))
        for i, (name, unit) in enumerate(pool.schema.fields.items())
    }
    quantities = {
        name: quantity_metrics(unit, pool.quantities[:, i], mean[:, i], std[:, i])
        for i, (name, unit) in enumerate(pool.schema.quantities.items())
    }
    per_sample = np.column_stack([errors, _scaled_error(mean, pool.quantities)]).mean(axis=1)
    return Metrics(
        samples=len(pool),
        error=_headline(fields, quantities),
        spearman=_rank_correlation(learner.uncertainty(pool.parameters), per_sample),
        fields=fields,
        quantities=quantities,
    )


def quantity_metrics(unit: str, truth: Array, mean: Array, std: Array) -> QuantityMetrics:
    """Measure one quantity: truths, predicted means and standard deviations, each of shape (n,)."""
    rmse, spread = float(np.sqrt(np.mean((mean - truth) ** 2))), float(truth.std())
    ratio = rmse / spread if spread > 0 else None
    return QuantityMetrics(
        unit=unit,
        rmse=rmse,
        nrmse=ratio,
        r2=None if ratio is None else 1 - ratio**2,
        coverage90=float(np.mean(np.abs(mean - truth) <= HALF_WIDTH_90 * std)),
        mean_std=float(std.mean()),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Measured:
    """A few samples: field errors and shares inside, shape (n, c); quantities, shape (n, q)."""

    relative_l2: Array
    inside: Array
    mean: Array
    std: Array

    @classmethod
    def of(cls, prediction: Prediction, block: Block) -> "_Measured":
        weights = block.weights[:, :, np.newaxis].astype(float)  # (n, p, 1)
        truth, fields = block.fields.astype(float), prediction.fields  # (n, p, c)
        error = np.sqrt((weights * (fields.mean - truth) ** 2).sum(axis=1))  # (n, c)
        size = np.sqrt((weights * truth**2).sum(axis=1))  # (n, c)
        inside = np.abs(fields.mean - truth) <= HALF_WIDTH_90 * fields.std
        return cls(
            relative_l2=np.divide(error, size, out=np.sign(error), where=size > 0),
            inside=(weights * inside).sum(axis=1) / weights.sum(axis=1),
            mean=prediction.quantities.mean,
            std=prediction.quantities.std,
        )


def _headline(fields: dict[str, FieldMetrics], quantities: dict[str, QuantityMetrics]) -> float:
    ratios = [q.nrmse for q in quantities.values() if q.nrmse is not None]
    return float(np.mean([*(f.relative_l2.mean for f in fields.values()), *ratios]))


def _scaled_error(mean: Array, truth: Array) -> Array:
    """Return errors over the truths' standard deviations, shape (n, q); zero where that is zero."""
    spread = truth.std(axis=0)
    error = np.abs(mean - truth)
    return np.divide(error, spread, out=np.zeros_like(error), where=spread > 0)


def _rank_correlation(uncertainty: Array, error: Array) -> float | None:
    if np.ptp(uncertainty) == 0 or np.ptp(error) == 0:
        return None
    return float(spearmanr(uncertainty, error).statistic)


@dataclass
class FixedTestSet:
    """A metrology strategy: `evaluate` on the driver's test pool, a record a step."""

    records: list[dict[str, Any]] = field(default_factory=list)
    driver: DriverProtocol | None = field(default=None, repr=False)
    __protocol_name__ = "fixed_test_set"

    def attach(self, other: DriverProtocol) -> None:
        """Take the driver."""
        self.driver = other

    @property
    def is_attached(self) -> bool:
        """Whether there is a driver."""
        return self.driver is not None

    def append(self, record: dict[str, Any]) -> None:
        """Add a record."""
        self.records.append(record)

    def compute(self, *_args: Any, **_kwargs: Any) -> None:  # noqa: ANN401 - documented so
        """Measure the driver's learner, and append the record."""
        driver = attached(self.driver, self.__protocol_name__)
        head = {
            "step": driver.active_learning_step_idx,
            "labelled": len(driver.training_pool),
        }
        self.append(head | evaluate(driver.learner, driver.test_pool).to_json())

    def serialize_records(self, path: Path) -> None:
        """Publish the records as JSON."""
        publish_json(path, self.records)

    def load_records(self, path: Path) -> None:
        """Replace the records by those of a file."""
        self.records = json.loads(path.read_text())

    def reset(self) -> None:
        """Forget all records."""
        self.records = []
