"""Small OpenFOAM cases for tests: real ones, of the examples."""

import shutil
from pathlib import Path
from typing import Any

from solvers.openfoam.settings import OpenFOAMSettings

EXAMPLES = Path(__file__).parents[1] / "examples"
NUMERICS: dict[str, Any] = {
    "cells": 20,
    "iterations": 800,
    "residual": 1e-6,
    "scheme": "linearUpwind",
    "consistent": True,
    "relaxation": {"U": 0.9, "p": 1.0},
}


def cavity(template: Path = EXAMPLES / "cavity" / "case", **numerics: Any) -> OpenFOAMSettings:
    """Return the lid-driven cavity, some tenths of a second long, with some numerics changed."""
    return cavity_with({}, template, **numerics)


def cavity_with(
    changes: dict[str, Any], template: Path = EXAMPLES / "cavity" / "case", **numerics: Any
) -> OpenFOAMSettings:
    """Return the cavity with parts of its declaration changed."""
    declared = {
        "template": str(template),
        "parameters": {"reynolds": "1", "aspect": "1"},
        "derived": {"nu": "1/reynolds", "middle": "aspect/2"},
        "numerics": NUMERICS | numerics,
        "commands": ["blockMesh", "checkMesh", "simpleFoam"],
        "fields": {
            "u": {"field": "U", "component": "x"},
            "v": {"field": "U", "component": "y"},
            "p": {"field": "p"},
        },
        "quantities": {
            "lowest_u": {
                "kind": "surface",
                "function": "verticalCentreline",
                "column": "min(Ux)",
                "unit": "m/s",
            }
        },
        "convergence": {"residual": 1e-5},
    }
    return OpenFOAMSettings.model_validate(declared | changes)


def cavity_copy(directory: Path) -> Path:
    """Copy the cavity's template, to be spoilt."""
    return Path(shutil.copytree(EXAMPLES / "cavity" / "case", directory / "template"))


def replace_in(file: Path, old: str, new: str) -> None:
    """Change a file of a template; what is to be changed must be there."""
    text = file.read_text()
    assert old in text, f"{file} has no {old!r}"
    file.write_text(text.replace(old, new))
