"""How good a learner is, measured on samples that it never learns from.

[Li2021] Z. Li et al., Fourier neural operator for parametric partial differential equations,
ICLR 2021: the relative L2 error of a field.
[Kuleshov2018] V. Kuleshov, N. Fenner and S. Ermon, Accurate uncertainties for deep learning using
calibrated regression, ICML 2018: the coverage of an interval.
[Spearman1904] C. Spearman, The proof and measurement of association between two things, American
Journal of Psychology 15(1), 1904.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm, spearmanr

from pools.errors import CampaignError, IntegrityError, UsageError
from pools.files import publish_json
from strategies.metrics import FieldMetrics, Metrics, QuantityMetrics, Spread
from strategies.needed import CampaignScope
from strategies.query import attached
from surrogates.prediction import Learner, Prediction

if TYPE_CHECKING:  # torch takes seconds to load
    from pools.training import Block, TrainingPool

Array = NDArray[np.float64]

_HALF_WIDTH = float(norm.ppf(0.95))  # of the central 90 % interval, in standard deviations
_CONSTANT = 1e-9  # what varies, or is, less than this relative to its size is rounding noise


class FixedTestSet:
    """A metrology strategy: `evaluate` on the driver's test pool, a record a step.

    Attributes:
        records: `step`, `labelled`, and the metrics of each step, as JSON.
    """

    __protocol_name__ = "fixed_test_set"

    def __init__(self) -> None:
        self.records: list[dict[str, Any]] = []
        self.driver: CampaignScope | None = None

    @property
    def is_attached(self) -> bool:
        """Whether `attach` was called."""
        return self.driver is not None

    def attach(self, other: CampaignScope) -> None:
        """Measure this driver's learner."""
        self.driver = other

    def append(self, record: dict[str, Any]) -> None:
        """Add one record."""
        self.records.append(record)

    def compute(self, *_args: object, **_kwargs: object) -> None:
        """Measure the learner on the test pool and append the record.

        Raises:
            UsageError: not attached, or the driver has no test pool.
            CampaignError: a prediction is not finite, or there is nothing to measure.
        """
        driver = attached(self.driver, self.__protocol_name__)
        if driver.test_pool is None:
            raise UsageError("the driver has no test pool to measure on; give it one")
        metrics = evaluate(driver.learner, driver.test_pool)
        step, labelled = driver.active_learning_step_idx, len(driver.training_pool)
        self.append({"step": step, "labelled": labelled, **metrics.to_json()})

    def serialize_records(self, path: Path) -> None:
        """Publish the records as JSON, whole or not at all."""
        publish_json(path, self.records)

    def load_records(self, path: Path) -> None:
        """Read the records that `serialize_records` wrote, in place of the present ones.

        Raises:
            IntegrityError: the file is missing or is not JSON.
        """
        try:
            self.records = json.loads(path.read_text())
        except (OSError, ValueError) as error:
            raise IntegrityError(
                f"cannot read metrology records from {path}: {error}; remove the file and measure "
                "again"
            ) from error

    def reset(self) -> None:
        """Forget all records."""
        self.records = []


def evaluate(learner: Learner, pool: "TrainingPool") -> Metrics:
    """Measure the learner on a pool, a block of samples at a time, so that memory stays flat.

    Raises:
        CampaignError: a prediction is not finite, or there is nothing to measure.
    """
    schema = pool.schema
    if not len(pool) or not (schema.fields or schema.quantities):
        raise CampaignError(
            f"the test set has {len(pool)} samples, {len(schema.fields)} fields and "
            f"{len(schema.quantities)} quantities: nothing to measure; raise test_samples"
        )
    measured = _Measured.joined([_measure(learner, block) for block in pool.blocks()])
    fields = {
        name: FieldMetrics(
            unit, Spread.of(measured.relative_l2[:, i]), float(measured.covered[:, i].mean())
        )
        for i, (name, unit) in enumerate(schema.fields.items())
    }
    quantities = {
        name: quantity_metrics(
            unit, pool.quantities[:, i], measured.mean[:, i], measured.std[:, i]
        )
        for i, (name, unit) in enumerate(schema.quantities.items())
    }
    metrics = Metrics(0.0, len(pool), fields, quantities, _diagnosis(learner, pool, measured))
    return replace(metrics, error=float(np.mean(list(metrics.errors.values()))))


def quantity_metrics(unit: str, truth: Array, mean: Array, std: Array) -> QuantityMetrics:
    """Measure one quantity: truths, predicted means and standard deviations, each shape (m,)."""
    error = np.abs(mean - truth)
    rmse = float(np.sqrt((error**2).mean()))
    nrmse = rmse / _scale(truth)
    return QuantityMetrics(
        unit=unit,
        rmse=rmse,
        nrmse=nrmse,
        r2=None if _is_constant(truth) else 1 - nrmse**2,
        coverage90=float((error <= _HALF_WIDTH * std).mean()),  # [Kuleshov2018]
        mean_std=float(std.mean()),
    )


def rank_correlation(first: Array, second: Array) -> float | None:
    """Return Spearman's rank correlation [Spearman1904]; None where either does not vary."""
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return None
    return float(spearmanr(first, second).statistic)


@dataclass(frozen=True, slots=True, eq=False)
class _Measured:
    """A few numbers a sample: of its fields, shape (m, c), and its quantities, shape (m, q)."""

    errors: Array
    norms: Array
    covered: Array
    mean: Array
    std: Array

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        return cls(
            *(
                np.concatenate([getattr(part, name) for part in parts])
                for name in ("errors", "norms", "covered", "mean", "std")
            )
        )

    @property
    def relative_l2(self) -> Array:
        """Relative errors [Li2021], shape (m, c).

        A truth that is zero, or the rounding noise of one, counts in units of the others' norm;
        a field that is always zero counts as it is.
        """
        typical = np.sqrt((self.norms**2).mean(0))  # (c,)
        otherwise = np.where(typical > 0, typical, 1.0)
        return self.errors / np.where(self.norms > _CONSTANT * typical, self.norms, otherwise)


def _measure(learner: Learner, block: "Block") -> _Measured:
    predicted = learner.predict(block.parameters)
    _check_finite(predicted)
    weights = block.weights / block.weights.sum(1, keepdims=True, dtype=np.float64)  # (m, p)
    truth = block.fields.astype(np.float64)  # (m, p, c)
    error = np.abs(predicted.fields.mean - truth)
    return _Measured(
        errors=np.sqrt(_by_area(weights, error**2)),
        norms=np.sqrt(_by_area(weights, truth**2)),
        covered=_by_area(weights, error <= _HALF_WIDTH * predicted.fields.std),
        mean=predicted.quantities.mean,
        std=predicted.quantities.std,
    )


def _by_area(weights: Array, values: NDArray[Any]) -> Array:
    """Return means over the domain of values (m, p, c), shape (m, c)."""
    means: Array = np.einsum("mp,mpc->mc", weights, values, dtype=np.float64)
    return means


def _check_finite(predicted: Prediction) -> None:
    for part, estimate in (("quantities", predicted.quantities), ("fields", predicted.fields)):
        if not (np.isfinite(estimate.mean).all() and np.isfinite(estimate.std).all()):
            raise CampaignError(
                f"the learner's {part} are not finite on the test set; its training diverged: "
                "lower its learning rate, or look for non-finite values in the training pool"
            )


def _scale(truth: Array) -> float:
    """Return what an error of this quantity is measured in: its spread, else its size, else 1."""
    return float(np.abs(truth).max() or 1.0) if _is_constant(truth) else float(truth.std())


def _is_constant(truth: Array) -> bool:
    return bool(truth.std() <= _CONSTANT * np.abs(truth).max())


def _diagnosis(learner: Learner, pool: "TrainingPool", measured: _Measured) -> float | None:
    """Return the rank correlation of uncertainty and error over the samples."""
    scales = np.array([_scale(truth) for truth in pool.quantities.T])
    normalised = np.abs(measured.mean - pool.quantities) / scales  # (m, q)
    errors = np.concatenate([measured.relative_l2, normalised], axis=1).mean(1)  # (m,)
    try:
        return rank_correlation(learner.uncertainty(pool.parameters), errors)
    except UsageError:  # an ensemble of one member has no uncertainty; its error is still known
        return None
