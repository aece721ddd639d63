"""What a solver may answer, and what is said of all else."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from flaky_solver import Flaky

from examples.fin import Fin
from pools.outcome import Outcome
from pools.sample import Sample
from pools.solution import Field, Mesh, Quantity, Solution
from solvers.fault import fault
from solvers.protocol import Solver
from solvers.request import Request
from solvers.settings import CustomSettings
from solvers.solve import answer

SOLVER = Flaky()
SAMPLE = Sample.of({"x": 0.75}, SOLVER.fingerprint)
NAN = float("nan")


def right() -> Solution:
    return SOLVER.solve(SAMPLE, Path())


@pytest.mark.parametrize(
    ("solver", "parameters"),
    [(SOLVER, {"x": 0.75}), (Fin(), {"length": 0.1, "conductivity": 200.0, "convection": 20.0})],
)
def test_solvers_of_examples_and_tests_are_right(
    solver: Solver, parameters: dict[str, float], tmp_path: Path
) -> None:
    sample = Sample.of(parameters, solver.fingerprint)
    assert fault(solver, sample, solver.solve(sample, tmp_path)) == ""


def test_quantities_may_come_in_any_order(tmp_path: Path) -> None:
    solver = Fin()
    sample = Sample.of({"length": 0.1, "conductivity": 200.0, "convection": 20.0}, "fin")
    solution = solver.solve(sample, tmp_path)
    backwards = dict(reversed(solution.quantities.items()))
    assert fault(solver, sample, replace(solution, quantities=backwards)) == ""


def test_a_solver_without_fields_is_right() -> None:
    class Scalar(Flaky):
        fields: dict[str, str] = {}  # type: ignore[assignment]  # noqa: RUF012

    assert fault(Scalar(), SAMPLE, replace(right(), mesh=Mesh.of_point(), fields={})) == ""


def with_values(values: Any) -> Solution:
    return replace(right(), fields={"ramp": Field(values, "m")})


def with_square(value: Any, unit: str = "1") -> Solution:
    return replace(right(), quantities={"square": Quantity(value, unit)})


def with_mesh(**changes: Any) -> Solution:
    return replace(right(), mesh=replace(right().mesh, **changes))


WRONG: dict[str, tuple[Callable[[], Any], str]] = {
    "another sample": (
        lambda: replace(right(), sample=Sample("1234", {"x": 0.75})),
        "answered the sample 1234, but was asked for " + SAMPLE.id,
    ),
    "a quantity more": (
        lambda: replace(right(), quantities=right().quantities | {"bonus": Quantity(2.0, "1")}),
        "answered the quantities {'square': '1', 'bonus': '1'}, expected {'square': '1'}",
    ),
    "no quantity": (lambda: replace(right(), quantities={}), "quantities {}, expected {'square'"),
    "another unit": (lambda: with_square(1.0, "m"), "{'square': 'm'}, expected {'square': '1'}"),
    "no field": (lambda: replace(right(), fields={}), "fields {}, expected {'ramp': 'm'}"),
    "too few values": (
        lambda: with_values(np.ones(3)),
        "the field ramp has the shape (3,), expected (4,)",
    ),
    "two columns": (lambda: with_values(np.ones((4, 2))), "the shape (4, 2), expected (4,)"),
    "a field that is not finite": (
        lambda: with_values(np.array([0.0, NAN, np.inf, 1.0])),
        "the field ramp is not finite: 2 of 4 values",
    ),
    "a quantity that is not finite": (lambda: with_square(NAN), "square is not finite"),
    "a quantity of two numbers": (lambda: with_square(np.ones(2)), "square has the shape (2,)"),
    "plane points": (lambda: with_mesh(points=np.zeros((4, 2))), "shape (4, 2), expected (p, 3)"),
    "no point": (lambda: with_mesh(points=np.zeros((0, 3))), "shape (0, 3), expected (p, 3)"),
    "points nowhere": (lambda: with_mesh(points=np.full((4, 3), NAN)), "points are not finite"),
    "too few weights": (lambda: with_mesh(weights=np.ones(3)), "shape (3,), expected (4,)"),
    "a negative weight": (lambda: with_mesh(weights=np.array([-1.0, 1, 1, 1])), "go from -1.0"),
    "weights of zero": (lambda: with_mesh(weights=np.zeros(4)), "sum to 0.0"),
    "weights not finite": (lambda: with_mesh(weights=np.full(4, NAN)), "weights go from nan"),
    "a point that is not there": (
        lambda: with_mesh(connectivity=np.array([0, 1, 2, 4])),
        "connectivity goes from 0 to 4, expected indices from 0 to 3",
    ),
    "a cell too many": (lambda: with_mesh(offsets=np.array([0, 4, 8])), "3 offsets go from [0]"),
    "cells backwards": (
        lambda: with_mesh(offsets=np.array([0, 5, 4]), types=np.array([9, 9])),
        "offsets decrease",
    ),
    "nothing": (lambda: None, "of the type NoneType, cannot be read"),
    "a bare number": (lambda: replace(right(), quantities={"square": 1.0}), "cannot be read"),
    "words": (lambda: with_square("high"), "cannot be read"),
}


@pytest.mark.parametrize(("wrong", "said"), WRONG.values(), ids=list(WRONG))
def test_a_wrong_answer_is_named(wrong: Callable[[], Any], said: str) -> None:
    assert said in fault(SOLVER, SAMPLE, wrong())


def test_a_quantity_is_not_hidden_by_a_field_of_its_name() -> None:
    class Namesakes(Flaky):
        quantities: dict[str, str] = {"ramp": "1"}  # type: ignore[assignment]  # noqa: RUF012

    solution = replace(right(), quantities={"ramp": Quantity(NAN, "1")})
    assert "the quantity ramp is not finite" in fault(Namesakes(), SAMPLE, solution)


def test_an_answer_in_another_order_is_written_in_the_declared_one() -> None:
    class Two(Flaky):
        fields: dict[str, str] = {"u": "m", "v": "m"}  # type: ignore[assignment]  # noqa: RUF012

    swapped = {name: Field(np.full(4, float(i)), "m") for i, name in enumerate(("v", "u"))}
    answer = replace(right(), fields=swapped)
    assert fault(Two(), SAMPLE, answer) == ""
    ordered = answer.in_order(Two().quantities, Two().fields)
    assert list(ordered.fields) == ["u", "v"]
    assert ordered.fields["v"].values.tolist() == [0.0] * 4


def test_the_supervisor_judges_it_bad_output(tmp_path: Path) -> None:
    class Short(Flaky):
        def solve(self, *_: object, **__: object) -> Solution:
            return with_values(np.ones(3))

    settings = CustomSettings(factory="flaky_solver:Flaky")
    verdict = answer(Short(), settings, Request(SAMPLE, tmp_path, 60, 1))
    assert verdict.outcome is Outcome.BAD_OUTPUT
    assert "the field ramp has the shape (3,), expected (4,)" in verdict.reason
    assert not list(tmp_path.iterdir())
