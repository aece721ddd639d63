"""The declaration of an OpenFOAM case, as a campaign file gives it under `solver`."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from pools import expression
from solvers.openfoam.command import Command
from solvers.openfoam.convergence import Convergence
from solvers.openfoam.sources import FieldSource, QuantitySource, Resample
from solvers.openfoam.words import CasePath, Code, EntryValue, Expression, Name, Numerics, Word

_MODEL = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class OpenFOAMSettings(BaseModel):
    """Any OpenFOAM case directory as a template, what to vary in it and what to read out."""

    model_config = _MODEL

    kind: Literal["openfoam"] = "openfoam"
    template: str
    """The case directory, relative to the working directory. It is code that you trust: a
    case can load libraries."""
    parameters: dict[Name, str] = {}
    """Unit of each parameter by name; the campaign's own unless given."""
    choices: dict[Name, dict[Code, Word]] = {}
    """Words that a parameter's numbers stand for: with `scheme: {1: upwind, 2: linear}` the
    template's `$scheme` is the word."""
    derived: dict[Name, Expression] = {}
    """Numbers made of parameters, numerics and earlier derived ones by safe arithmetic."""
    numerics: Numerics = {}
    """Numbers, words and switches of the template: what a rung, a command or a person may change.
    Nested ones are joined: `relaxation: {U: 0.9}` is `$relaxation_U` in the template."""
    entries: dict[CasePath, dict[str, EntryValue]] = {}
    """Entries of the template's files to set through foamDictionary, for templates that do not
    `#include` the generated dictionary: file, entry, and an expression or a word."""
    commands: tuple[Command, ...] = ()
    """What is run, in order; by default blockMesh, checkMesh and the controlDict's application."""
    starts: dict[Name, tuple[Command, ...]] = {}
    """Named commands to run before the first `solve` command: potential flow, first order, ..."""
    start: Name | None = None
    """Which of `starts` to run; a rung may set it."""
    ranks: Annotated[int, Field(ge=1)] = 1
    """How many MPI ranks a `solve` command runs on."""
    fields: dict[Name, FieldSource] = {}
    """The fields of the answer, in column order."""
    region: Literal["internal"] | tuple[Word, ...] = "internal"
    """Where the fields are read: the whole mesh, or the surface of these patches."""
    resample: Resample | None = None
    """A uniform grid for the fields: needed where samples differ in their number of cells."""
    quantities: dict[Name, QuantitySource] = {}
    """The quantities of interest, in column order."""
    convergence: Convergence = Convergence()
    """Which answers count as converged."""
    allowed_mesh_checks: tuple[str, ...] = ("aspect ratio",)
    """Checks of checkMesh that may fail, by a part of their text."""
    heartbeat_seconds: Annotated[float, Field(gt=0)] = 600.0
    """A solver whose log stands still so long hangs, and is ended."""
    allow_system_operations: bool = False
    """Whether the case may run programs and compile code (systemCall, #codeStream)."""

    @model_validator(mode="after")
    def _check_answers(self) -> Self:
        if not self.quantities:
            raise ValueError("quantities is empty; declare at least one quantity of interest")
        if self.start is not None and self.start not in self.starts:
            known = ", ".join(self.starts) or "none is declared"
            raise ValueError(f"start is {self.start!r}; known starts: {known}")
        if self.resample is not None and self.region != "internal":
            raise ValueError("resample needs region: internal; leave one of the two out")
        return self

    @model_validator(mode="after")
    def _check_names(self) -> Self:
        known = {*self.parameters, *self.flat_numerics}
        for name, text in self.derived.items():
            if name in known:
                raise ValueError(f"derived.{name} is a parameter or a numeric already; rename it")
            if self.parameters and (unknown := expression.names_in(text) - known):
                raise ValueError(
                    f"derived.{name} is {text!r}, which needs {', '.join(sorted(unknown))}; known "
                    f"there are {', '.join(sorted(known))}"
                )
            known.add(name)
        if twice := set(self.parameters) & set(self.flat_numerics):
            raise ValueError(f"{', '.join(sorted(twice))}: a parameter and a numeric; rename one")
        return self

    @model_validator(mode="after")
    def _check_choices(self) -> Self:
        if self.parameters and (unknown := set(self.choices) - set(self.parameters)):
            raise ValueError(
                f"choices.{sorted(unknown)[0]} is no parameter; parameters are "
                f"{', '.join(self.parameters)}"
            )
        return self

    @model_validator(mode="after")
    def _check_sets(self) -> Self:
        known = {name for name, _ in _leaves(self.numerics, ".")}
        for command in (*self.commands, *(c for start in self.starts.values() for c in start)):
            if unknown := set(command.set) - known:
                raise ValueError(
                    f"the command {command.run!r} sets {', '.join(sorted(unknown))}, which is not "
                    f"among numerics; known are {', '.join(sorted(known)) or 'none'}"
                )
        return self

    @property
    def flat_numerics(self) -> dict[str, bool | int | float | str]:
        """The numerics by their names in the template: nested ones joined by an underscore."""
        return dict(_leaves(self.numerics, "_"))

    def stages(self, application: str) -> tuple[Command, ...]:
        """Return the commands of a run, with the chosen start before the first solver.

        Args:
            application: the solver that the template's controlDict names.
        """
        declared = self.commands or tuple(
            Command.model_validate(run) for run in ("blockMesh", "checkMesh", application)
        )
        before = self.starts[self.start] if self.start else ()
        first = next((i for i, c in enumerate(declared) if c.role == "solve"), len(declared))
        return (*declared[:first], *before, *declared[first:])


def _leaves(numerics: Mapping[str, Any], joint: str) -> Iterator[tuple[str, Any]]:
    for name, value in numerics.items():
        if isinstance(value, Mapping):
            yield from ((f"{name}{joint}{inner}", leaf) for inner, leaf in value.items())
        else:
            yield name, value
