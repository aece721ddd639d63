"""The declaration of a case: what it may say, and what reaches a dictionary."""

from typing import Any

import pytest
from pydantic import ValidationError

from pools.errors import UsageError
from solvers.openfoam.dimensions import unit_of
from solvers.openfoam.settings import OpenFOAMSettings
from solvers.openfoam.values import generated_dictionary, values_of

DECLARED: dict[str, Any] = {
    "kind": "openfoam",
    "template": "case",
    "parameters": {"reynolds": "1"},
    "derived": {"nu": "1/reynolds", "double": "2*nu"},
    "numerics": {"cells": 64, "relaxation": {"U": 0.9}, "scheme": "linearUpwind", "quick": True},
    "quantities": {"drag": {"kind": "coefficient", "function": "forceCoeffs"}},
}


def declared(**changes: Any) -> OpenFOAMSettings:
    return OpenFOAMSettings.model_validate({**DECLARED, **changes})


def refusal(**changes: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        declared(**changes)
    return str(caught.value)


def test_values_are_parameters_numerics_and_what_is_derived_in_order() -> None:
    values = values_of(declared(), {"reynolds": 100.0})
    assert list(values.items()) == [
        ("reynolds", 100.0),
        ("cells", 64),
        ("relaxation_U", 0.9),
        ("scheme", "linearUpwind"),
        ("quick", True),
        ("nu", 0.01),
        ("double", 0.02),
    ]


def test_the_generated_dictionary_is_what_openfoam_reads() -> None:
    text = generated_dictionary(values_of(declared(), {"reynolds": 1 / 3}))
    assert text.splitlines()[1:] == [
        f"reynolds {1 / 3!r};",
        "cells 64;",
        "relaxation_U 0.9;",
        "scheme linearUpwind;",
        "quick yes;",
        "nu 3;",
        "double 6;",
    ]
    assert "FoamFile" not in text


def test_a_parameter_with_choices_is_a_number_in_expressions_and_a_word_in_the_template() -> None:
    case = declared(
        parameters={"reynolds": "1", "model": "1"},
        choices={"model": {1: "kEpsilon", 2: "kOmegaSST"}},
        derived={"twice": "2*model"},
    )
    values = values_of(case, {"reynolds": 100.0, "model": 2.0})
    assert (values["model"], values["twice"]) == ("kOmegaSST", 4.0)
    assert "model kOmegaSST;" in generated_dictionary(values).splitlines()
    with pytest.raises(
        UsageError, match=r"model is 3, for which solver.choices.model has no word"
    ):
        values_of(case, {"reynolds": 100.0, "model": 3.0})


@pytest.mark.parametrize(
    ("choices", "said"),
    [
        ({"modle": {1: "kEpsilon"}}, "choices.modle is no parameter; parameters are reynolds"),
        ({"reynolds": {1: "#calc 1"}}, "only a plain word may reach a dictionary"),
    ],
)
def test_choices_that_cannot_be_are_refused(choices: dict[str, Any], said: str) -> None:
    assert said in refusal(choices=choices)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_only_finite_parameters_reach_a_dictionary(value: float) -> None:
    with pytest.raises(UsageError, match="only finite numbers"):
        values_of(declared(), {"reynolds": value})


@pytest.mark.parametrize(
    "word",
    ["a b", "$x", "#calc", "x;y", "{x}", '"x"', "x/../y", "", "`ls`", "a\nb", "#include", ";"],
)
def test_only_plain_words_reach_a_dictionary(word: str) -> None:
    assert "plain word" in refusal(numerics={"scheme": word})


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_only_finite_numerics_reach_a_dictionary(number: float) -> None:
    assert "finite" in refusal(numerics={"cells": number})


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"derived": {"nu": "1/speed"}}, "needs speed; known there are cells"),
        ({"derived": {"nu": "import os"}}, "cannot be read"),
        ({"derived": {"reynolds": "1"}}, "is a parameter or a numeric already"),
        ({"numerics": {"reynolds": 1}}, "reynolds: a parameter and a numeric"),
        ({"quantities": {}}, "declare at least one quantity"),
        ({"start": "potential"}, "known starts: none is declared"),
        ({"commands": ["simpleFoam 'x"]}, "cannot be read"),
        ({"commands": ["/bin/sh"]}, "leaves the case"),
        ({"commands": ["../solve"]}, "leaves the case"),
        ({"commands": [""]}, "a command is empty"),
        ({"commands": [{"run": "simpleFoam", "set": {"sheme": "x"}}]}, "not among numerics"),
        ({"entries": {"/etc/passwd": {"a": "1"}}}, "inside the case"),
        ({"entries": {"../x": {"a": "1"}}}, "inside the case"),
        ({"entries": {"0/U": {"a": "1/"}}}, "the expression '1/' cannot be read"),
        ({"entries": {"0/U": {"a": True}}}, "got True; give a number or an expression"),
        ({"entries": {"0/U": {"a": "(nu 0 0)"}}}, "the vector '(nu 0 0)', but an entry is one"),
        (
            {"entries": {"0/U": {"a": "uniform (max(nu, 1) tann(nu) 0)"}}},
            "; its component y: the expression 'tann(nu)' holds 'tann(nu)'; allowed are",
        ),
        ({"resample": {"bounds": [[0, 1]], "shape": [3]}}, "at least 2"),
        ({"resample": {"bounds": [[0, 1], [1, 0]], "shape": [3, 3]}}, "low below high"),
        ({"resample": {"bounds": [[0, 1], [0, 1]], "shape": [3, 3, 3]}}, "give as many"),
        ({"ranks": 0}, "greater than or equal to 1"),
        ({"convergence": {"residual": 0}}, "greater than 0"),
        ({"convergence": {"accept": "rejected"}}, "'converged' or 'marginal'"),
    ],
)
def test_what_cannot_be_is_refused(changes: dict[str, Any], words: str) -> None:
    assert words in refusal(**changes)


def test_commands_know_what_they_are_for() -> None:
    runs = ["blockMesh", "setFields", "simpleFoam -case x", "postProcess -func yPlus", "./Allrun"]
    roles = [command.role for command in declared(commands=runs).commands]
    assert roles == ["mesh", "prepare", "solve", "post", "solve"]


def test_without_commands_the_application_of_the_template_solves() -> None:
    assert [c.run for c in declared().stages("icoFoam")] == ["blockMesh", "checkMesh", "icoFoam"]


def test_a_start_runs_between_mesh_and_solver() -> None:
    settings = declared(starts={"potential": ["potentialFoam"]}, start="potential")
    runs = [command.run for command in settings.stages("simpleFoam")]
    assert runs == ["blockMesh", "checkMesh", "potentialFoam", "simpleFoam"]


def test_a_number_that_yaml_takes_for_text_is_a_number() -> None:
    assert declared(numerics={"tolerance": "1e-5"}).flat_numerics == {"tolerance": 1e-5}


@pytest.mark.parametrize(
    ("exponents", "unit"),
    [
        ([0, 1, -1, 0, 0, 0, 0], "m/s"),
        ([0, 2, -2, 0, 0, 0, 0], "m2/s2"),
        ([0, 0, 0, 0, 0, 0, 0], "1"),
        ([1, -1, -2, 0, 0, 0, 0], "Pa"),
        ([0, 0, -1, 0, 0], "1/s"),
        ([1, 0, -3, -1, 0, 0, 0], "kg/(s3 K)"),
        ([0, 0.5, 0, 0, 0, 0, 0], "m0.5"),
    ],
)
def test_dimension_sets_are_units(exponents: list[float], unit: str) -> None:
    assert unit_of(exponents) == unit
