"""The parameter space."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from pools.space import Parameter, ParameterSpace

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
