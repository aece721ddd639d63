"""One command of a case's pipeline, and what it is for."""

import shlex
from collections.abc import Mapping
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, model_validator

from solvers.openfoam.words import Leaf

Role = Literal["prepare", "mesh", "solve", "post"]

_MESHING = frozenset(
    {"blockMesh", "checkMesh", "snappyHexMesh", "surfaceFeatureExtract", "surfaceFeatures"}
    | {"extrudeMesh", "mirrorMesh", "renumberMesh", "transformPoints", "refineMesh", "topoSet"}
    | {"createPatch", "mergeMeshes", "cartesianMesh", "gmshToFoam", "fluentMeshToFoam"}
)
_PREPARING = frozenset(
    {"setFields", "mapFields", "potentialFoam", "setExprFields", "foamDictionary"}
)
_AFTER = frozenset({"postProcess", "sample", "foamToVTK", "reconstructPar", "yPlus", "foamLog"})


class Command(BaseModel):
    """One command of the case's pipeline; written as plain text, its role is known by its name."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    run: str
    """The program and its arguments, as one line; it is never given to a shell."""
    role: Role = "solve"
    """What it is for: a failure of `mesh` is the outcome mesh; `solve` is judged and runs on all
    ranks; `prepare` comes before it, `post` after it."""
    set: dict[str, Leaf] = {}
    """Numerics that differ while this command runs: a first-order start, for example."""

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, content: object) -> object:
        given = {"run": content} if isinstance(content, str) else content
        if not isinstance(given, Mapping) or "role" in given:
            return given
        run = given.get("run")
        return {**given, "role": _role_of(run)} if isinstance(run, str) else given

    @model_validator(mode="after")
    def _check_words(self) -> Self:
        try:
            words = self.words
        except ValueError as error:
            raise ValueError(f"the command {self.run!r} cannot be read: {error}") from error
        if not words:
            raise ValueError("a command is empty; give a program such as simpleFoam")
        if words[0].startswith("/") or ".." in words[0].split("/"):
            raise ValueError(
                f"the command {self.run!r} leaves the case; give a program by its name, or a "
                "script of the case as ./Allrun"
            )
        return self

    @property
    def words(self) -> list[str]:
        """The program and its arguments."""
        return shlex.split(self.run)

    @property
    def name(self) -> str:
        """The program's name, which names the log too."""
        return self.words[0].removeprefix("./").replace("/", "_")


def _role_of(run: str) -> Role:
    program = (run.split() or [""])[0].removeprefix("./")
    if program in _MESHING:
        return "mesh"
    if program in _PREPARING:
        return "prepare"
    return "post" if program in _AFTER else "solve"
