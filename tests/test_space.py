"""The parameter space."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from pools.parameter import Parameter
from pools.space import ParameterSpace

SPACE = ParameterSpace.model_validate(
    {
        "reynolds": {"low": 5, "high": 150, "scale": "log"},
        "angle": {"low": -90, "high": 90, "unit": "degree"},
        "height": {"low": 0.12, "high": 0.29, "unit": "m"},
    }
)


def test_normalise_and_denormalise_are_inverse() -> None:
    values = SPACE.sobol(37, seed=3)
    np.testing.assert_allclose(SPACE.denormalise(SPACE.normalise(values)), values, rtol=1e-13)


def test_bounds_map_to_the_corners_of_the_unit_cube() -> None:
    corners = np.array([[5.0, -90.0, 0.12], [150.0, 90.0, 0.29]])
    np.testing.assert_allclose(SPACE.normalise(corners), [[0, 0, 0], [1, 1, 1]], atol=1e-15)


def test_log_scale_puts_the_geometric_mean_in_the_middle() -> None:
    middle = SPACE.denormalise(np.full((1, 3), 0.5))
    np.testing.assert_allclose(middle, [[np.sqrt(5 * 150), 0.0, 0.205]])


@given(n=st.integers(1, 40), skip=st.integers(0, 40))
def test_sobol_continues_where_it_was_left(n: int, skip: int) -> None:
    whole = SPACE.sobol(n + skip, seed=11)
    np.testing.assert_array_equal(SPACE.sobol(n, seed=11, skip=skip), whole[skip:])


@pytest.mark.parametrize("draw", ["sobol", "latin_hypercube"])
def test_designs_depend_on_their_seed_only(draw: str) -> None:
    design = getattr(SPACE, draw)
    np.testing.assert_array_equal(design(16, 1), design(16, 1))
    assert not np.array_equal(design(16, 1), design(16, 2))


@pytest.mark.parametrize("draw", ["sobol", "latin_hypercube"])
def test_designs_fill_every_stratum_of_every_parameter(draw: str) -> None:
    cube = SPACE.normalise(getattr(SPACE, draw)(16, 1))
    for column in cube.T:
        assert sorted((column * 16).astype(int)) == list(range(16))


def test_uniform_draws_stay_within_bounds() -> None:
    values = SPACE.uniform(200, np.random.default_rng(0))
    cube = SPACE.normalise(values)
    assert cube.min() >= 0
    assert cube.max() <= 1


MIXED = ParameterSpace.model_validate(
    {
        "x": {"low": 0, "high": 2},
        "n": {"type": "integer", "low": -1, "high": 3},
        "cells": {"type": "integer", "low": 1, "high": 1000, "scale": "log"},
        "sheet": {"type": "discrete", "values": [0.5, 0.8, 2]},
        "model": {"type": "categorical", "values": [1, 2, 7]},
    }
)


@pytest.mark.parametrize("draw", ["sobol", "latin_hypercube"])
def test_draws_hold_values_that_the_parameters_take(draw: str) -> None:
    _, n, cells, sheet, model = getattr(MIXED, draw)(512, 1).T
    assert set(n) == {-1, 0, 1, 2, 3}
    assert np.array_equal(cells, np.rint(cells))
    assert cells.min() == 1
    assert 990 < cells.max() <= 1000
    assert set(sheet) == {0.5, 0.8, 2}
    assert set(model) == {1, 2, 7}


def test_values_are_drawn_equally_often() -> None:
    _, n, _, sheet, _ = MIXED.sobol(1024, 1).T
    assert np.ptp(np.unique(n, return_counts=True)[1]) <= 2
    assert np.ptp(np.unique(sheet, return_counts=True)[1]) <= 2


def test_whole_numbers_on_a_log_scale_are_spread_over_their_logarithm() -> None:
    cells = MIXED.sobol(4096, 1)[:, 2]
    assert np.mean(cells <= 31) == pytest.approx(0.54, abs=0.02)  # log(31.5/0.5)/log(1000.5/0.5)


def test_mixed_values_are_mapped_to_the_cube_and_back() -> None:
    values = MIXED.sobol(4096, 3)
    back = MIXED.denormalise(MIXED.normalise(values))
    np.testing.assert_array_equal(back[:, 1:], values[:, 1:])
    np.testing.assert_allclose(back[:, 0], values[:, 0])


def test_the_corners_of_the_cube_are_the_bounds() -> None:
    corners = MIXED.denormalise(np.array([[0.0] * 5, [1.0] * 5]))
    np.testing.assert_allclose(corners, [[0, -1, 1, 0.5, 1], [2, 3, 1000, 2, 7]])


def test_no_value_is_minus_zero() -> None:
    zeros = MIXED.denormalise(np.full((1, 5), 0.29))[:, 1]
    assert not np.signbit(zeros).any()


def test_a_surrogate_sees_a_column_for_each_category() -> None:
    values = np.array([[1.0, 3, 1, 0.8, 2], [2.0, -1, 1000, 0.5, 7]])
    assert (MIXED.d, MIXED.width) == (5, 7)
    encoded = MIXED.encode(values)
    np.testing.assert_array_equal(encoded[:, 4:], [[0, 1, 0], [0, 0, 1]])
    np.testing.assert_array_equal(encoded[:, :4], MIXED.normalise(values)[:, :4])


def test_a_surrogate_sees_real_parameters_as_they_were_seen_before() -> None:
    values = SPACE.sobol(9, 1)
    np.testing.assert_array_equal(SPACE.encode(values), SPACE.normalise(values))


def test_a_space_without_real_parameters_has_a_number_of_points() -> None:
    small = ParameterSpace.model_validate({"n": INTEGER, "sheet": DISCRETE})
    assert small.count == 12
    np.testing.assert_array_equal(small.grid()[:4], [[1, 0.5], [1, 0.8], [1, 2], [2, 0.5]])
    assert len(np.unique(small.grid(), axis=0)) == 12
    assert MIXED.count is None


INTEGER = {"type": "integer", "low": 1, "high": 4}
DISCRETE = {"type": "discrete", "values": [0.5, 0.8, 2]}


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("n", 1.5, "n is 1.5, but it takes whole numbers only"),
        ("n", 4, "n is 4, outside -1 to 3"),
        ("sheet", 0.7, "sheet is 0.7, but it takes 0.5, 0.8, 2 only"),
        ("model", 3, "model is 3, but it takes 1, 2, 7 only"),
    ],
)
def test_a_value_that_a_parameter_does_not_take_is_explained(
    name: str, value: float, message: str
) -> None:
    point = {"x": 1.0, "n": 2, "cells": 5, "sheet": 0.8, "model": 7}
    np.testing.assert_array_equal(MIXED.as_row(point), [1, 2, 5, 0.8, 7])
    with pytest.raises(ValueError, match=message):
        MIXED.as_row({**point, name: value})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"type": "integer", "low": 1.5, "high": 3}, "both must be whole numbers"),
        ({"type": "integer", "low": 0, "high": 3, "scale": "log"}, "a logarithm needs low > 0"),
        ({"type": "integer", "low": 3, "high": 3}, "low must be below high"),
        ({"type": "integer", "low": 1, "high": 3, "values": [1, 3]}, "type: discrete, or"),
        ({"low": 1, "high": 3, "values": [1, 3]}, "type is real, which takes no values"),
        ({"type": "discrete"}, "which needs at least two values"),
        ({"type": "discrete", "values": []}, "which needs at least two values"),
        ({"type": "discrete", "values": [1]}, "which needs at least two values"),
        ({"type": "discrete", "values": 1}, "which needs at least two values"),
        ({"type": "discrete", "low": 1, "high": 2}, "which needs at least two values"),
        ({"type": "discrete", "values": [2, 1]}, "give each once, increasing"),
        ({"type": "discrete", "values": [1, 1, 2]}, "give each once, increasing"),
        ({"type": "categorical", "values": [1, 2], "low": 0}, "leave low and high out"),
        ({"type": "discrete", "values": [1, 2], "scale": "log"}, "leave scale out"),
        ({"type": "categorical", "values": ["SST", "SA"]}, "values holds 'SST', .* number the"),
        ({"type": "discrete", "values": [1, True]}, "values holds True"),
        ({"type": "discrete", "values": [1, float("nan")]}, "values holds nan"),
        ({"type": "int", "low": 1, "high": 2}, "'integer', 'discrete' or 'categorical'"),
    ],
)
def test_a_parameter_of_other_values_is_explained(
    content: dict[str, object], message: str
) -> None:
    with pytest.raises(ValidationError, match=message):
        Parameter.model_validate(content)


def test_a_parameter_of_values_is_the_same_after_writing_and_reading() -> None:
    written = MIXED.model_dump(mode="json")
    assert ParameterSpace.model_validate(written) == MIXED


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"low": 2, "high": 1}, "low is 2 and high is 1; low must be below high"),
        ({"low": 1, "high": 1}, "low must be below high"),
        ({"low": 0, "high": 1, "scale": "log"}, "a logarithm needs low > 0"),
        ({"low": -1, "high": 1, "scale": "log"}, "scale is log and low is -1"),
        ({"low": float("nan"), "high": 1}, "finite number"),
        ({"low": 0, "high": float("inf")}, "finite number"),
        ({"low": 0, "high": 1, "scale": "cubic"}, "'linear' or 'log'"),
        ({"low": 0, "high": 1, "step": 2}, "Extra inputs"),
    ],
)
def test_bad_bounds_are_explained(content: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message.replace("(", r"\(")):
        Parameter.model_validate(content)


def test_a_space_needs_a_parameter() -> None:
    with pytest.raises(ValidationError, match="at least 1"):
        ParameterSpace.model_validate({})


def test_as_row_orders_by_column() -> None:
    row = SPACE.as_row({"height": 0.2, "reynolds": 20, "angle": 0})
    np.testing.assert_array_equal(row, [20, 0, 0.2])


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"reynolds": 20, "angle": 0}, r"missing \['height'\]"),
        ({"reynolds": 20, "angle": 0, "height": 0.2, "re": 1}, r"unknown \['re'\]"),
        ({"reynolds": 500, "angle": 0, "height": 0.2}, "reynolds is 500, outside 5 to 150"),
    ],
)
def test_as_row_explains_what_is_wrong(values: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SPACE.as_row(values)
