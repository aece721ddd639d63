"""What is wrong is said before any solver starts: what it got, what is allowed, the way out."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from openfoam_cases import cavity_copy, cavity_with, replace_in

from phases.config import parse
from phases.preflight import check_solver
from pools.errors import UsageError
from solvers.openfoam.settings import OpenFOAMSettings
from solvers.preflight import problems

pytestmark = pytest.mark.openfoam

AT = [{"reynolds": 100.0, "aspect": 1.0}]
QUANTITY = {
    "kind": "surface",
    "function": "verticalCentreline",
    "column": "min(Ux)",
    "unit": "m/s",
}


def said(settings: OpenFOAMSettings) -> str:
    return "\n".join(problems(settings, AT))


def test_nothing_is_wrong_with_a_sound_case() -> None:
    assert problems(cavity_with({}), AT) == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"template": "no/such"}, "no/such, which is no directory"),
        ({"template": "docs"}, "has no system/controlDict"),
        ({"commands": ["blockMesh", "simpleFaom"]}, "simpleFaom is not on the PATH"),
        ({"commands": ["./Allrun"]}, "no executable ./Allrun"),
        ({"starts": {"potential": ["potentialFaom"]}}, "potentialFaom is not on the PATH"),
        ({"parameters": {"reynolds": "1", "aspect": "1", "spin": "1"}}, "spin decides nothing"),
        ({"entries": {"constant/none": {"nu": "nu"}}}, "has no file constant/none"),
        ({"entries": {"constant/transportProperties": {"nuu": "nu"}}}, "has no entry nuu"),
        ({"fields": {"u": {"field": "U"}}}, "U is a volVectorField and component is None"),
        ({"fields": {"p": {"field": "p", "component": "x"}}}, "leave it out"),
        ({"fields": {"t": {"field": "T"}}}, "no initial field T"),
        ({"fields": {"p": {"field": "p", "unit": "Pa"}}}, "the dimension set of p is m2/s2"),
        ({"region": ["aerofoil"]}, "names no patch aerofoil"),
        ({"quantities": {"q": {**QUANTITY, "function": "fc"}}}, "has a function object fc"),
        ({"quantities": {"q": {**QUANTITY, "unit": None}}}, "quantities.q has no unit"),
        (
            {"quantities": {"q": {**QUANTITY, "scale": "1/(reynolds-100)"}}},
            "solver.quantities.q.scale: the expression '1/(reynolds-100)' has no value: float "
            "division by zero; it was asked at reynolds = 100",
        ),
        (
            {"derived": {"nu": "1/reynolds", "middle": "sqrt(-aspect)"}},
            "solver.derived.middle: the expression 'sqrt(-aspect)' has no value",
        ),
        (
            {"entries": {"system/fvSolution": {"relaxationFactors": "log(aspect-1)"}}},
            "solver.entries.system/fvSolution.relaxationFactors: the expression 'log(aspect-1)' ",
        ),
        (
            {
                "quantities": {
                    "q": {"kind": "crossing", "patch": "floor", "field": "tau", "component": "x"}
                }
            },
            "names no patch floor",
        ),
    ],
)
def test_what_is_wrong_is_said(changes: dict[str, Any], words: str) -> None:
    assert words in said(cavity_with(changes))


def _without_include(template: Path) -> None:
    for file in template.rglob("*"):
        if file.is_file():
            file.write_text(file.read_text().replace("#include", "//"))


def _other_ranks(template: Path) -> None:
    head = "FoamFile { version 2.0; format ascii; class dictionary; object decomposeParDict; }\n"
    (template / "system/decomposeParDict").write_text(f"{head}numberOfSubdomains 7;\n")


def _without_application(template: Path) -> None:
    replace_in(template / "system/controlDict", "application", "// application")


@pytest.mark.parametrize(
    ("spoil", "changes", "words"),
    [
        (_without_include, {}, "no dictionary includes the generated one"),
        (_other_ranks, {"ranks": 2}, "has numberOfSubdomains 7; make them equal"),
        (_without_application, {"commands": []}, "names no application"),
    ],
)
def test_what_is_wrong_with_a_template_is_said(
    tmp_path: Path, spoil: Callable[[Path], None], changes: dict[str, Any], words: str
) -> None:
    template = cavity_copy(tmp_path)
    spoil(template)
    assert words in said(cavity_with(changes, template))


def test_without_openfoam_the_way_out_is_said() -> None:
    code = (
        "from openfoam_cases import cavity_with\n"
        "from solvers.preflight import problems\n"
        "print(*problems(cavity_with({})))"
    )
    environment = {**os.environ, "PATH": "/nowhere", "PYTHONPATH": f".{os.pathsep}tests"}
    run = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert "OpenFOAM is not there" in run.stdout
    assert "apt-get install openfoam" in run.stdout


def test_a_campaign_is_refused_with_all_that_is_wrong() -> None:
    solver = cavity_with({"fields": {"u": {"field": "U"}}, "commands": ["simpleFaom"]})
    content = {
        "name": "cavity",
        "parameters": {"reynolds": {"low": 1, "high": 2}, "aspect": {"low": 1, "high": 2}},
        "solver": solver.model_dump(mode="json"),
        "stopping": {"max_steps": 1},
    }
    with pytest.raises(UsageError) as caught:
        check_solver(parse(content, "cavity.yaml"))
    assert "2 things are wrong with the solver of cavity" in str(caught.value)


def test_a_rung_of_low_fidelity_needs_a_pool_that_takes_marginal_answers() -> None:
    rung = {"name": "coarser", "set": {"cells": 10}, "low_fidelity": True}
    content = {
        "name": "cavity",
        "parameters": {"reynolds": {"low": 1, "high": 2}, "aspect": {"low": 1, "high": 2}},
        "label": {"recovery": [rung]},
        "stopping": {"max_steps": 1},
    }
    strict = cavity_with({}).model_dump(mode="json")
    with pytest.raises(UsageError, match="set it to marginal"):
        parse({**content, "solver": strict}, "cavity.yaml")
    lax = cavity_with({"convergence": {"accept": "marginal"}}).model_dump(mode="json")
    assert parse({**content, "solver": lax}, "cavity.yaml").label.recovery[0].low_fidelity
