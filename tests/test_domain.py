"""Draws that meet constraints."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pools.candidates import DesignSequence
from pools.constraint import Constraint
from pools.domain import Domain
from pools.errors import UsageError
from pools.space import ParameterSpace

SPACE = ParameterSpace.model_validate(
    {
        "thickness": {"low": 0.01, "high": 0.3},
        "camber": {"low": 0, "high": 0.4},
        "re": {"low": 10, "high": 1000, "scale": "log"},
    }
)
SIDE = {"low": 0, "high": 1}
THIN = "thickness < 0.5 * camber"
SLOW = "re * thickness <= 20"
DOMAIN = Domain.of(SPACE, [THIN, SLOW])


def is_met(rows: np.ndarray) -> bool:
    thickness, camber, re = rows.T
    return bool(np.all((thickness < 0.5 * camber) & (re * thickness <= 20)))


def test_without_constraints_the_draws_are_those_of_the_box() -> None:
    box = Domain(SPACE)
    np.testing.assert_array_equal(box.sobol(9, 2, skip=3), SPACE.sobol(9, 2, skip=3))
    np.testing.assert_array_equal(box.latin_hypercube(9, 2), SPACE.latin_hypercube(9, 2))
    first, second = np.random.default_rng(1), np.random.default_rng(1)
    np.testing.assert_array_equal(box.uniform(9, first), SPACE.uniform(9, second))


def test_a_draw_is_the_sequence_without_the_points_beyond() -> None:
    whole = SPACE.sobol(4096, seed=5)
    met = whole[DOMAIN.met(whole)]
    np.testing.assert_array_equal(DOMAIN.sobol(200, seed=5), met[:200])


@given(n=st.integers(1, 40), skip=st.integers(0, 90))
def test_a_constrained_sequence_continues_where_it_was_left(n: int, skip: int) -> None:
    whole = DOMAIN.sobol(n + skip, seed=11)
    np.testing.assert_array_equal(DOMAIN.sobol(n, seed=11, skip=skip), whole[skip:])


def test_a_design_goes_on_with_points_that_meet_the_constraints() -> None:
    first = DesignSequence(DOMAIN, 7, 0, "s").next(8)
    then = DesignSequence(DOMAIN, 7, 8, "s").next(8)
    rows = np.array([sample.row(SPACE.names) for sample in [*first, *then]])
    np.testing.assert_array_equal(rows, DOMAIN.sobol(16, 7))


def test_every_draw_has_its_number_of_points_and_they_meet_the_constraints() -> None:
    draws = [
        DOMAIN.sobol(50, 1),
        DOMAIN.latin_hypercube(50, 1),
        DOMAIN.uniform(50, np.random.default_rng(1)),
    ]
    assert [draw.shape for draw in draws] == [(50, 3)] * 3
    assert all(map(is_met, draws))


def test_a_constrained_sequence_fills_the_region_evenly() -> None:
    triangle = Domain.of(ParameterSpace.model_validate({"a": SIDE, "b": SIDE}), ["a + b <= 1"])
    a, b = triangle.sobol(256, 3).T
    assert a.mean() == pytest.approx(1 / 3, abs=0.01)
    assert b.mean() == pytest.approx(1 / 3, abs=0.01)
    assert np.mean(a < b) == pytest.approx(0.5, abs=0.03)


def test_a_rare_region_is_found_too() -> None:
    rare = Domain.of(SPACE, ["camber < 0.0004"])
    assert np.all(rare.sobol(64, 1)[:, 1] < 0.0004)


def test_nearest_keeps_what_meets_the_constraints_and_moves_the_rest() -> None:
    targets = np.array([[0.0, 1.0, 0.0], [1.0, 0.0, 1.0]])
    rows = DOMAIN.nearest(targets)
    np.testing.assert_allclose(rows[0], [0.01, 0.4, 10])
    assert is_met(rows)


def test_a_point_beyond_is_told_which_constraint_and_by_how_much() -> None:
    with pytest.raises(ValueError, match="does not meet") as caught:
        DOMAIN.as_row({"thickness": 0.3, "camber": 0.4, "re": 10})
    assert str(caught.value) == (
        "camber = 0.4, thickness = 0.3 does not meet the constraint thickness < 0.5 * camber: "
        "0.3 < 0.2 is not so"
    )


def test_a_point_within_is_a_row() -> None:
    row = DOMAIN.as_row({"re": 20, "camber": 0.4, "thickness": 0.1})
    np.testing.assert_array_equal(row, [0.1, 0.4, 20])


def test_both_comparisons_of_a_chain_hold() -> None:
    chain = Constraint.of("0.1 < a*2 <= 0.5")
    found = chain.met({"a": np.array([0.05, 0.06, 0.25, 0.26])})
    assert found.tolist() == [False, True, True, False]


@pytest.mark.parametrize("text", ["sqrt(a) < 2", "log(a) <= 0", "1/(a + 1) < 2", "1/(a + 1) > 2"])
def test_a_point_without_a_value_does_not_meet_a_constraint(text: str) -> None:
    assert Constraint.of(text).met({"a": np.array([-1.0])}).tolist() == [False]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a + b", "is no comparison; write one comparison of arithmetic with <, <=, > or >="),
        ("a", "is no comparison"),
        ("a == b", "compares with Eq"),
        ("a != b", "compares with NotEq"),
        ("a in b", "compares with In"),
        ("a < b and b < 1", "give each an entry of its own"),
        ("a < b or b < 1", "give each an entry of its own"),
        ("not a < b", "give each an entry of its own"),
        ("1 < 2", "holds no parameter"),
        ("pi > 3", "holds no parameter"),
        ("a <", "cannot be read"),
        ("", "cannot be read"),
        ("a = b", "cannot be read"),
        ("a < b[0]", "holds 'b[0]'"),
        ("a < (b < 1)", "holds 'b < 1'"),
        ("a < 'b'", "holds \"'b'\""),
        ("a < True", "holds 'True'"),
        ("a.real < 1", "holds 'a.real'"),
        ("__import__('os') < a", "holds"),
        ("a < 1" + " " * 3000, "characters, allowed are 2000"),
    ],
)
def test_what_is_no_constraint_is_explained(text: str, words: str) -> None:
    with pytest.raises(UsageError) as caught:
        Constraint.of(text)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("constraints", "words"),
    [
        (["thickness < chord"], "needs chord, which is no parameter; parameters are thickness, "),
        (["camber < -1"], "0 of 16384 points of the parameters' box meet the constraints"),
        ([THIN, "camber < thickness"], "(thickness < 0.5 * camber: "),
        (["sin(camber, re) < 1"], "has no value"),
        (["sqrt(-re) < 1"], "narrow the parameters' bounds to where they are met, or loosen them"),
    ],
)
def test_constraints_that_no_draw_can_meet_are_explained(
    constraints: list[str], words: str
) -> None:
    with pytest.raises(UsageError) as caught:
        Domain.of(SPACE, constraints)
    assert words in str(caught.value)


SMALL = ParameterSpace.model_validate(
    {
        "n": {"type": "integer", "low": 1, "high": 6},
        "sheet": {"type": "discrete", "values": [0.5, 0.8, 2]},
    }
)
FEW = Domain.of(SMALL, ["n * sheet < 4"])


def test_a_small_space_is_drawn_from_until_nothing_is_left() -> None:
    rows = FEW.sobol(100, 1)
    expected = [[n, s] for n in range(1, 7) for s in (0.5, 0.8, 2) if n * s < 4]
    assert FEW.count == len(expected) == 11
    assert sorted(rows.tolist()) == expected


@given(n=st.integers(0, 12), skip=st.integers(0, 12))
def test_a_sequence_of_a_small_space_continues_where_it_was_left(n: int, skip: int) -> None:
    whole = FEW.sobol(n + skip, seed=3)
    np.testing.assert_array_equal(FEW.sobol(n, seed=3, skip=skip), whole[skip:])


def test_no_point_of_a_large_discrete_space_comes_twice() -> None:
    axes = {name: {"type": "integer", "low": 1, "high": 90} for name in "abcd"}
    domain = Domain.of(ParameterSpace.model_validate(axes), ["a * b < c * d"])
    rows = domain.sobol(3000, 1)
    assert domain.count is None
    assert len(np.unique(rows, axis=0)) == 3000


def test_a_design_passes_over_what_others_asked_for() -> None:
    design = DesignSequence(FEW, 7, 0, "s")
    order = np.array([sample.row(FEW.names) for sample in design.next(11)])
    behind = design.behind(2, order[[3, 5]])
    left = [sample.row(FEW.names).tolist() for sample in behind.next(11)]
    assert left == order[[2, 4, 6, 7, 8, 9, 10]].tolist()


def test_a_value_that_a_parameter_does_not_take_is_refused() -> None:
    with pytest.raises(ValueError, match=r"n is 1\.5, but it takes whole numbers only"):
        FEW.check({"n": 1.5, "sheet": 0.5})
    with pytest.raises(ValueError, match=r"missing \['sheet'\]"):
        FEW.check({"n": 1.0})
