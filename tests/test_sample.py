"""A sample's identity."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pools.candidates import CandidatePool, DesignSequence
from pools.domain import Domain
from pools.sample import Sample
from pools.space import ParameterSpace

FINITE = st.floats(allow_nan=False, allow_infinity=False)


def test_the_id_depends_on_solver_and_parameters_only() -> None:
    one = Sample.of({"a": 1, "b": 2.0}, "solver")
    assert one.id == Sample.of({"b": 2, "a": 1.0}, "solver").id
    assert one.id != Sample.of({"a": 1, "b": 2.5}, "solver").id
    assert one.id != Sample.of({"a": 1, "b": 2}, "solver v2").id


def test_the_id_is_the_same_in_every_process() -> None:
    assert Sample.of({"reynolds": 20.0}, "test").id == "e1742bfc996de029"


@given(a=FINITE, b=FINITE)
def test_different_values_have_different_ids(a: float, b: float) -> None:
    same = Sample.of({"x": a}, "s").id == Sample.of({"x": b}, "s").id
    assert same == (repr(a) == repr(b))


def test_rows_and_samples_agree() -> None:
    rows = np.array([[1.0, 2.0], [3.0, 4.0]])
    samples = Sample.of_rows(rows, ("x", "y"), "s")
    np.testing.assert_array_equal([s.row(("x", "y")) for s in samples], rows)
    np.testing.assert_array_equal(samples[0].row(("y", "x")), [2.0, 1.0])


def test_candidates_give_samples() -> None:
    pool = CandidatePool(np.array([[1.0], [2.0]]), ("x",), "s")
    assert len(pool) == 2
    assert pool[1] == Sample.of({"x": 2.0}, "s")


def test_the_design_sequence_goes_on_without_repeating() -> None:
    space = ParameterSpace.model_validate({"x": {"low": 0, "high": 1}})
    first = DesignSequence(Domain(space), 7, 0, "s").next(8)
    then = DesignSequence(Domain(space), 7, 8, "s").next(8)
    assert len({sample.id for sample in [*first, *then]}) == 16
