"""Arithmetic that a campaign file may write, and nothing else."""

import math
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pools.arithmetic import FUNCTIONS
from pools.errors import UsageError
from pools.expression import evaluate, evaluate_rows, names_in


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1/reynolds", 0.01),
        ("-2 * (reynolds + 1)", -202.0),
        ("2**3**2", 512.0),
        ("-2**2", -4.0),
        ("max(1, reynolds, 3)", 100.0),
        ("step(reynolds - 100) + 2*step(99 - reynolds)", 1.0),
        ("sin(pi/2) + cos(radians(180))", 0.0),
        ("atan2(1, 1)", math.pi / 4),
        ("1e-3", 1e-3),
        ("floor(2.7) + ceil(0.2)", 3.0),
    ],
)
def test_arithmetic_is_evaluated(text: str, expected: float) -> None:
    assert evaluate(text, {"reynolds": 100.0}) == pytest.approx(expected)


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('true')",
        "reynolds.__class__",
        "(lambda: 1)()",
        "[1][0]",
        "'a' * 3",
        "reynolds if 1 else 2",
        "1 < 2",
        "True",
        "f(1)",
        "max(*[1])",
        "max(1, default=2)",
        "a := 1",
        "1j",
        "2 ^ 3",
        "1 // 2",
        "~1",
        "",
        "1 +",
        "x" * 3000,
        "(" * 400 + "1" + ")" * 400,
    ],
)
def test_what_is_no_arithmetic_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match=r"expression"):
        names_in(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("1/(reynolds - 100)", "division by zero"),
        ("sqrt(-reynolds)", "has no value"),
        ("10**reynolds**3", "has no value"),
        ("nu*2", "needs nu, which is not known there; known are reynolds"),
        ("1e308*10", "is inf"),
        ("sin()", "has no value"),
        ("max()", "has no value"),
    ],
)
def test_what_has_no_value_says_where_and_the_way_out(text: str, words: str) -> None:
    with pytest.raises(UsageError) as caught:
        evaluate(text, {"reynolds": 100.0})
    assert words in str(caught.value)


def test_names_are_those_that_a_value_is_needed_for() -> None:
    assert names_in("2*a + sin(b)*pi") == {"a", "b"}


def test_a_parameter_may_be_called_as_a_function_is() -> None:
    assert names_in("1/step + step(a)") == {"step", "a"}


@given(
    st.text(alphabet="ab01.+-*/() ,", max_size=30) | st.sampled_from(sorted(FUNCTIONS)),
    st.floats(allow_nan=False, allow_infinity=False),
)
def test_any_text_has_a_finite_value_or_is_refused(text: str, value: float) -> None:
    with suppress(UsageError):
        assert math.isfinite(evaluate(text, {"a": value, "b": 2.0}))


@pytest.mark.parametrize(
    "text",
    [
        "a*b - a/b + 2**a",
        "sin(a) + cos(b) + tan(a) + atan2(a, b)",
        "asin(a/9) + acos(a/9) + atan(b)",
        "sqrt(a) + exp(-b) + log(a) + log10(b) + log(a, 3)",
        "floor(a) + ceil(b) + radians(a) + degrees(b)",
        "min(a, b, 1) + max(a, b) + abs(-a) + step(a - b) + step(0)",
        "-a + +b*pi",
        "2",
    ],
)
def test_columns_are_computed_as_single_numbers_are(text: str) -> None:
    a, b = np.array([0.3, 1.7, 2.5]), np.array([2.0, 0.4, 2.5])
    one_by_one = [evaluate(text, {"a": x, "b": y}) for x, y in zip(a, b, strict=True)]
    columns = np.broadcast_to(evaluate_rows(text, {"a": a, "b": b}), 3)
    np.testing.assert_allclose(columns, one_by_one, rtol=1e-14)


def test_columns_keep_their_points_where_there_is_no_value() -> None:
    found = evaluate_rows("sqrt(a) + 1/b", {"a": np.array([-1.0, 4.0]), "b": np.array([1.0, 2.0])})
    np.testing.assert_array_equal(found, [math.nan, 2.5])


@pytest.mark.parametrize("text", ["sin(a, a)", "max(a)", "atan2(a)", "step()", "log(a, a, a)"])
def test_a_function_of_columns_takes_as_many_as_one_of_numbers(text: str) -> None:
    a = np.array([1.0, 2.0])
    with pytest.raises(UsageError, match="has no value"):
        evaluate_rows(text, {"a": a})
    with pytest.raises(UsageError, match="has no value"):
        evaluate(text, {"a": 1.0})
    np.testing.assert_array_equal(a, [1.0, 2.0])
