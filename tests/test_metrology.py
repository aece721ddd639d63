"""Metrics against numbers worked out by hand, and against scikit-learn."""

import json
import math
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import r2_score
from strategy_examples import (
    Array,
    ClosedFormLearner,
    ExampleDriver,
    driver_with,
    pool_of,
    truth,
)

from pools.errors import CampaignError, IntegrityError, UsageError
from pools.solution import Field, Mesh, Quantity, Solution
from strategies.metrics import Metrics
from strategies.metrology import FixedTestSet, evaluate, quantity_metrics, rank_correlation
from strategies.needed import Measuring
from surrogates.prediction import Estimate, Prediction

ROWS = [(0.25, 1.0), (0.5, 2.0), (0.75, 4.0), (1.0, 8.0)]


@dataclass(frozen=True)
class Recited:
    """Predicts what it is told, block after block."""

    fields: Array
    fields_std: Array
    quantities: Array
    quantities_std: Array

    def predict(self, parameters: Array) -> Prediction:
        rows = slice(0, len(parameters))
        return Prediction(
            Estimate(self.quantities[rows], self.quantities_std[rows]),
            Estimate(self.fields[rows], self.fields_std[rows]),
        )

    def uncertainty(self, _parameters: Array) -> Array:
        raise UsageError("an ensemble of one")


def test_an_exact_learner_has_no_error(tmp_path: Path) -> None:
    metrics = evaluate(ClosedFormLearner(), pool_of(tmp_path / "p.h5", [truth(r) for r in ROWS]))
    assert metrics.error == pytest.approx(0, abs=1e-7)
    assert metrics.quantities["drag"].r2 == pytest.approx(1)
    assert metrics.quantities["drag"].coverage90 == 1
    assert metrics.fields["u"].coverage90 == pytest.approx(1)
    assert metrics.samples == 4


def test_a_scaled_learner_has_that_relative_error(tmp_path: Path) -> None:
    pool = pool_of(tmp_path / "p.h5", [truth(row) for row in ROWS])
    metrics = evaluate(ClosedFormLearner(scale=1.1), pool)
    spread = metrics.fields["u"].relative_l2
    assert [spread.mean, spread.median, spread.q95, spread.max] == pytest.approx([0.1] * 4)
    drag = np.array([x * y for x, y in ROWS])
    assert metrics.quantities["drag"].rmse == pytest.approx(0.1 * math.sqrt((drag**2).mean()))
    assert metrics.quantities["drag"].nrmse == pytest.approx(
        metrics.quantities["drag"].rmse / drag.std()
    )
    assert metrics.error == pytest.approx((0.1 + metrics.quantities["drag"].nrmse) / 2)
    assert metrics.errors == {
        "fields.u": spread.mean,
        "quantities.drag": metrics.quantities["drag"].nrmse,
    }
    assert metrics.fields["u"].unit == "m/s"


def test_area_weights_and_intervals_by_hand(tmp_path: Path) -> None:
    """Truth (1, 2, 3) at weights (1/2, 1/4, 1/4); errors (0.2, 0, 1) and spread 0.5."""
    pool = pool_of(tmp_path / "p.h5", [truth((1.0, 1.0)), truth((1.0, 1.0))])
    field = np.tile([1.2, 2.0, 4.0], (2, 1))[:, :, np.newaxis]
    learner = Recited(
        field, np.full_like(field, 0.5), np.array([[1.5], [0.9]]), np.full((2, 1), 0.1)
    )
    metrics = evaluate(learner, pool)
    expected = math.sqrt(0.5 * 0.04 + 0.25 * 1) / math.sqrt(0.5 + 0.25 * 4 + 0.25 * 9)
    assert metrics.fields["u"].relative_l2.mean == pytest.approx(expected)
    assert metrics.fields["u"].coverage90 == pytest.approx(0.75)  # 1 is beyond 1.645 * 0.5
    drag = metrics.quantities["drag"]
    assert drag.coverage90 == 0.5
    assert drag.mean_std == pytest.approx(0.1)
    assert drag.rmse == pytest.approx(math.sqrt((0.25 + 0.01) / 2))
    assert drag.r2 is None  # both truths are 1
    assert drag.nrmse == pytest.approx(drag.rmse)  # in units of its size
    assert metrics.spearman is None  # an ensemble of one


def test_blocks_do_not_change_the_numbers(tmp_path: Path) -> None:
    rows = np.random.default_rng(0).random((70, 2)) + 0.5  # more than two blocks
    pool = pool_of(tmp_path / "p.h5", [truth(row.tolist()) for row in rows])
    learner = ClosedFormLearner(scale=0.9, variance=lambda rows: (rows[:, 0] * rows[:, 1]) ** 2)
    metrics = evaluate(learner, pool)
    predicted = learner.predict(pool.parameters)
    drag = metrics.quantities["drag"]
    assert drag.r2 == pytest.approx(
        r2_score(pool.quantities[:, 0], predicted.quantities.mean[:, 0])
    )
    assert metrics.fields["u"].relative_l2.max == pytest.approx(0.1, rel=1e-6)
    assert metrics.spearman == pytest.approx(1)  # the error grows with the drag


@given(st.lists(st.tuples(*[st.floats(-1e3, 1e3)] * 2), min_size=3, max_size=20))
def test_r2_is_that_of_scikit_learn(pairs: list[tuple[float, float]]) -> None:
    truths, predicted = np.array(pairs).T
    metrics = quantity_metrics("1", truths, predicted, np.ones(len(pairs)))
    if metrics.r2 is not None and truths.std() > 1e-3:
        assert metrics.r2 == pytest.approx(r2_score(truths, predicted), rel=1e-6, abs=1e-9)
    assert metrics.nrmse >= 0
    assert 0 <= metrics.coverage90 <= 1


@given(st.lists(st.tuples(*[st.floats(-1e3, 1e3)] * 2), min_size=2, max_size=20))
def test_rank_correlation_is_bounded_or_undefined(pairs: list[tuple[float, float]]) -> None:
    first, second = np.array(pairs).T
    correlation = rank_correlation(first, second)
    assert correlation is None or -1 - 1e-12 <= correlation <= 1 + 1e-12
    if len(set(first)) > 1:
        assert rank_correlation(first, first) == pytest.approx(1)


def test_coverage_of_a_calibrated_learner_is_ninety_per_cent() -> None:
    rng = np.random.default_rng(4)
    metrics = quantity_metrics("1", rng.normal(size=20_000), np.zeros(20_000), np.ones(20_000))
    assert metrics.coverage90 == pytest.approx(0.9, abs=0.01)


def flat(value: float) -> Solution:
    """Return a solution whose field and quantity are constant."""
    return replace(
        truth((value, 1.0)),
        fields={"w": Field(np.zeros(3), "m/s")},
        quantities={"wall": Quantity(0.0, "m")},
    )


def test_truths_that_are_zero_throughout_count_as_they_are(tmp_path: Path) -> None:
    pool = pool_of(tmp_path / "p.h5", [flat(0.1), flat(0.2)])
    field, quantity = np.full((2, 3, 1), 0.3), np.full((2, 1), 0.4)
    metrics = evaluate(Recited(field, field, quantity, quantity), pool)
    assert metrics.fields["w"].relative_l2.mean == pytest.approx(0.3)
    assert metrics.quantities["wall"].nrmse == pytest.approx(0.4)
    json.dumps(metrics.to_json(), allow_nan=False)


def test_a_truth_of_rounding_noise_counts_in_units_of_the_others(tmp_path: Path) -> None:
    solutions = [
        replace(truth((1.0, 1.0)), fields={"w": Field(np.full(3, size), "m/s")}, quantities={})
        for size in (1.0, 1e-17)
    ]
    predicted = np.array([1.01, 0.01])[:, np.newaxis, np.newaxis].repeat(3, axis=1)
    learner = Recited(predicted, predicted, np.empty((2, 0)), np.empty((2, 0)))
    metrics = evaluate(learner, pool_of(tmp_path / "p.h5", solutions))
    typical = math.sqrt(0.5)
    assert metrics.fields["w"].relative_l2.mean == pytest.approx((0.01 + 0.01 / typical) / 2)


@pytest.mark.parametrize("part", ["fields", "quantities"])
def test_a_pool_of_one_part_is_measured_on_that_part(tmp_path: Path, part: str) -> None:
    solutions = [
        replace(truth(row), mesh=Mesh.of_point(), fields={})
        if part == "quantities"
        else replace(truth(row), quantities={})
        for row in ROWS
    ]
    points, q = (1, 1) if part == "quantities" else (3, 0)
    field = np.ones((4, points, 1 - q))
    quantity = np.ones((4, q))
    metrics = evaluate(
        Recited(field, field, quantity, quantity), pool_of(tmp_path / "p", solutions)
    )
    assert list(metrics.errors) == ["quantities.drag" if q else "fields.u"]
    assert metrics.error == next(iter(metrics.errors.values()))


def test_nothing_to_measure_is_an_error(tmp_path: Path) -> None:
    bare = replace(truth(ROWS[0]), mesh=Mesh.of_point(), fields={}, quantities={})
    with pytest.raises(CampaignError, match="1 samples, 0 fields and 0 quantities"):
        evaluate(ClosedFormLearner(), pool_of(tmp_path / "p.h5", [bare]))


def test_predictions_that_are_not_finite_are_an_error(tmp_path: Path) -> None:
    pool = pool_of(tmp_path / "p.h5", [truth(row) for row in ROWS])
    with pytest.raises(CampaignError, match="not finite on the test set; its training diverged"):
        evaluate(ClosedFormLearner(scale=math.nan), pool)


def test_metrics_survive_json(tmp_path: Path) -> None:
    pool = pool_of(tmp_path / "p.h5", [truth(row) for row in ROWS])
    metrics = evaluate(ClosedFormLearner(scale=1.1), pool)
    assert Metrics.from_json(json.loads(json.dumps(metrics.to_json()))) == metrics


@pytest.fixture
def driver(tmp_path: Path) -> ExampleDriver:
    return driver_with(tmp_path)


def test_fixed_test_set_keeps_a_record_a_step(driver: ExampleDriver, tmp_path: Path) -> None:
    strategy = FixedTestSet()
    assert isinstance(strategy, Measuring)
    with pytest.raises(UsageError, match="not attached"):
        strategy.compute()
    for step in (0, 1):
        strategy.attach(replace(driver, active_learning_step_idx=step))
        strategy.compute()
    assert [(r["step"], r["labelled"], r["samples"]) for r in strategy.records] == [
        (0, 4, 3),
        (1, 4, 3),
    ]
    strategy.serialize_records(tmp_path / "records.json")
    again = FixedTestSet()
    again.load_records(tmp_path / "records.json")
    assert again.records == strategy.records
    strategy.reset()
    assert strategy.records == []


def test_records_that_cannot_be_read_are_an_error(tmp_path: Path) -> None:
    (tmp_path / "records.json").write_text("[{")
    with pytest.raises(IntegrityError, match="remove the file and measure again"):
        FixedTestSet().load_records(tmp_path / "records.json")


def test_a_driver_without_test_pool_is_an_error(driver: ExampleDriver) -> None:
    strategy = FixedTestSet()
    strategy.attach(replace(driver, test_pool=None))
    with pytest.raises(UsageError, match="no test pool"):
        strategy.compute()
