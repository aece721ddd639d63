import numpy as np
import pytest

from benchmarks.measures import Errors
from strategies.measured import Measured


def measured(field_errors: list[float], predicted: list[float]) -> Measured:
    column = np.array(field_errors)[:, np.newaxis]
    mean = np.array(predicted)[:, np.newaxis]
    return Measured(column, np.full_like(column, 2.0), column, mean, np.ones_like(mean))


def test_a_samples_error_is_the_mean_over_its_fields_and_quantities() -> None:
    truth = np.array([[1.0], [2.0], [3.0]])
    found = Errors.from_measured(
        measured([0.2, 0.4, 0.6], [2.0, 2.0, 7.0]), truth / 2, np.array([2.0])
    )
    each = [(0.1 + 0.5) / 2, (0.2 + 0) / 2, (0.3 + 2) / 2]
    assert found.q50 == pytest.approx(0.3)
    assert found.worst == pytest.approx(max(each))
    assert found.q95 == pytest.approx(0.3 + 0.9 * (1.15 - 0.3))
    assert found.q99 == pytest.approx(0.3 + 0.98 * (1.15 - 0.3))


def test_nrmse_is_in_units_of_a_fields_norm_and_a_quantitys_spread() -> None:
    found = Errors.from_measured(
        measured([0.6, 0.8], [3.0, 1.0]), np.array([[1.0], [1.0]]), np.array([1.0])
    )
    assert found.nrmse == pytest.approx((np.sqrt(0.5) / 2 + np.sqrt(2)) / 2)


def test_without_fields_or_quantities_the_other_counts_alone() -> None:
    none = np.empty((2, 0))
    scalar = Measured(none, none, none, np.array([[1.0], [0.0]]), np.ones((2, 1)))
    assert Errors.from_measured(scalar, np.zeros((2, 1)), np.ones(1)).worst == 1
    field = Measured(np.ones((2, 1)), np.full((2, 1), 4.0), none, none, none)
    assert Errors.from_measured(field, none, np.empty(0)).nrmse == 0.25
