"""How good a learner is, measured on samples that it never learns from.

[Kuleshov2018] V. Kuleshov, N. Fenner and S. Ermon, Accurate uncertainties for deep learning using
calibrated regression, ICML 2018: the coverage of an interval.
[Spearman1904] C. Spearman, The proof and measurement of association between two things, American
Journal of Psychology 15(1), 1904.
"""

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr

from pools.errors import CampaignError, IntegrityError, UsageError
from pools.files import publish_json
from strategies.measured import HALF_WIDTH, Measured, is_constant, measure, scale
from strategies.metrics import FieldMetrics, Metrics, QuantityMetrics, Spread
from strategies.needed import CampaignScope
from strategies.query import attached
from surrogates.prediction import Learner

if TYPE_CHECKING:  # torch takes seconds to load
    from pools.training import TrainingPool

Array = NDArray[np.float64]


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
    measured = Measured.joined([measure(learner, block) for block in pool.blocks()])
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
    nrmse = rmse / scale(truth)
    return QuantityMetrics(
        unit=unit,
        rmse=rmse,
        nrmse=nrmse,
        r2=None if is_constant(truth) else 1 - nrmse**2,
        coverage90=float((error <= HALF_WIDTH * std).mean()),  # [Kuleshov2018]
        mean_std=float(std.mean()),
    )


def rank_correlation(first: Array, second: Array) -> float | None:
    """Return Spearman's rank correlation [Spearman1904]; None where either does not vary."""
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return None
    return float(spearmanr(first, second).statistic)


def _diagnosis(learner: Learner, pool: "TrainingPool", measured: Measured) -> float | None:
    """Return the rank correlation of uncertainty and error over the samples."""
    scales = np.array([scale(truth) for truth in pool.quantities.T])
    normalised = np.abs(measured.mean - pool.quantities) / scales  # (m, q)
    errors = np.concatenate([measured.relative_l2, normalised], axis=1).mean(1)  # (m,)
    try:
        return rank_correlation(learner.uncertainty(pool.parameters), errors)
    except UsageError:  # an ensemble of one member has no uncertainty; its error is still known
        return None
