"""The settings of a solver that is any executable."""

import re
from collections.abc import Iterable
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from pools.outcome import Outcome

_MODEL = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

INPUT = "input.json"
"""The file, in the attempt's directory, that holds the sample's parameters."""
_TAKEN = frozenset({INPUT, "outcome.json", "lease.json", "try.json"})
PLACEHOLDER = re.compile(r"\{([A-Za-z_]\w*)\}")
"""What is replaced in an argument."""

Text = Annotated[str, Field(pattern=r"^[^\x00]*$")]
Name = Annotated[str, Field(pattern=r"^[A-Za-z_]\w*$")]
Number = Annotated[float, Field(allow_inf_nan=False)]
Setting = bool | int | Number | Text


class OutputValue(BaseModel):
    """A quantity in what the command writes."""

    model_config = _MODEL

    unit: str = "1"
    """Its unit; `1` means dimensionless."""
    key: str = ""
    """Where it is, with a `/` between the levels; its own name by default."""


class OutputField(OutputValue):
    """A field in what the command writes: a value at each point of the mesh."""

    component: Literal["x", "y", "z", "magnitude"] | None = None
    """What of a vector is the field."""


class OutputMesh(BaseModel):
    """Where the mesh is that the fields live on."""

    model_config = _MODEL

    points: str = "points"
    """Key of the coordinates, shape (p, 2) or (p, 3), in metres."""
    cells: str | None = None
    """Key of the cells: the indices, from 0, of each one's points, in VTK's order. Without it the
    fields live at points that all count the same."""
    shape: Literal["line", "triangle", "quad", "tetra", "hexahedron"] | None = None
    """What the cells are; by default what their number of points says: 3 triangle, 4 quad in the
    plane and tetra in space, 8 hexahedron."""
    file: str | None = None
    """A file, JSON or HDF5, that holds the mesh of every sample, relative to the working
    directory; by default each answer holds its own."""


class Grid(BaseModel):
    """A uniform grid that the fields live on."""

    model_config = _MODEL

    bounds: Annotated[tuple[tuple[Number, Number], ...], Field(min_length=1, max_length=3)]
    """First and last coordinate in each direction, in metres."""
    shape: tuple[Annotated[int, Field(ge=2)], ...]
    """Number of points in each direction. A field is an array of this shape, or the same numbers
    in a row, the last index running fastest."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if len(self.bounds) != len(self.shape):
            raise ValueError(
                f"bounds has {len(self.bounds)} directions and shape {len(self.shape)}; give both "
                "the same number"
            )
        if flat := [ends for ends in self.bounds if not ends[0] < ends[1]]:
            raise ValueError(f"bounds has {flat[0]}; the first must be below the last: swap them")
        return self


def _unit_alone(value: object) -> object:
    return {"unit": value} if isinstance(value, str) else value


def _not_ours(name: str) -> str:
    if name.startswith("SOLVERLOOP_"):
        raise ValueError(f"{name} is kept for solverloop, which finds its processes by it")
    return name


class CommandSettings(BaseModel):
    """Any executable that reads the parameters from a JSON file and writes JSON or HDF5."""

    model_config = _MODEL

    kind: Literal["command"] = "command"
    command: Annotated[tuple[Text, ...], Field(min_length=1)]
    """The executable, on PATH or relative to the working directory, and its arguments; a list, as
    there is no shell. `{input}` and `{output}` stand for the two files; without them,
    `--input FILE --output FILE` is added. An argument with a `/` in it that names a file relative
    to the working directory is given as its whole path."""
    arguments: tuple[Text, ...] = ()
    """More arguments, after those."""
    numerics: dict[Name, Setting] = {}
    """Values for further placeholders, such as `{tolerance}`: what a rung of `label.recovery` or
    `solverloop retry --set` may change."""
    parameters: dict[str, str] = {}
    """Unit of each parameter; those of the campaign by default."""
    input_layout: Literal["flat"] | dict[Name, tuple[str, ...]] = "flat"
    """The input file: `{name: value}`, or groups, such as `{geometry: [chord], flow: [speed]}`."""
    output: Annotated[str, Field(pattern=r"^[A-Za-z0-9_][\w.-]*\.(json|h5|hdf5)$")] = "output.json"
    """Name of the file that the command writes, in JSON or HDF5."""
    quantities: dict[Name, Annotated[OutputValue, BeforeValidator(_unit_alone)]] = {}
    """The quantities of interest: the unit of each, or its `unit` and `key`."""
    fields: dict[Name, Annotated[OutputField, BeforeValidator(_unit_alone)]] = {}
    """The fields: the unit of each, or its `unit`, `key` and `component`."""
    mesh: OutputMesh | None = None
    """Where the mesh of the fields is, if it is no `grid`."""
    grid: Grid | None = None
    """The uniform grid of the fields, if they have no `mesh`."""
    exit_codes: dict[Annotated[int, Field(ge=1, le=255)], Outcome] = {}
    """What exit codes other than 0 mean; `bad_output` by default."""
    environment: dict[Annotated[Name, AfterValidator(_not_ours)], Text] = {}
    """Variables for the command, besides those that solverloop was started with."""
    ranks: Annotated[int, Field(ge=1)] = 1
    """How many cores the command computes on, as MPI ranks or threads: so many are kept free for
    it. `{ranks}` stands for the number, as in `[mpirun, -np, "{ranks}", mysolver]`."""
    version: str = ""
    """Version of the executable. Change it when its answers change: samples are then solved
    anew."""

    @model_validator(mode="after")
    def _check_output(self) -> Self:
        if self.output in _TAKEN:
            raise ValueError(f"output is {self.output}, which is another file; take another name")
        if not self.quantities and not self.fields:
            raise ValueError("neither quantities nor fields are given; say what the output holds")
        if self.fields and (self.mesh is None) == (self.grid is None):
            raise ValueError("fields need a place to live: give either mesh or grid")
        if not self.fields and (self.mesh or self.grid):
            raise ValueError("without fields there is no mesh: leave out mesh and grid")
        return self

    @model_validator(mode="after")
    def _check_arguments(self) -> Self:
        if not self.command[0] or PLACEHOLDER.search(self.command[0]):
            raise ValueError(f"command begins with {self.command[0]!r}; name an executable first")
        if taken := set(self.numerics) & {"input", *type(self).model_fields}:
            raise ValueError(f"numerics has {sorted(taken)}, which mean something else; rename it")
        used = placeholders([*self.command, *self.arguments])
        allowed = {"input", "output", "ranks", *self.numerics}
        if unknown := used - allowed:
            raise ValueError(
                f"the arguments have the placeholders {sorted(unknown)}; allowed are "
                f"{sorted(allowed)}. Parameters reach the command in {INPUT} only; declare other "
                "values in numerics"
            )
        if unused := set(self.numerics) - used:
            raise ValueError(
                f"no argument uses the numerics {sorted(unused)}; write {{{min(unused)}}} where "
                "it belongs, or leave it out"
            )
        return self

    @model_validator(mode="after")
    def _check_layout(self) -> Self:
        if self.input_layout == "flat" or not self.parameters:
            return self
        placed = [name for group in self.input_layout.values() for name in group]
        if sorted(placed) != sorted(self.parameters):
            raise ValueError(
                f"input_layout places {placed}; place each of {list(self.parameters)} once"
            )
        return self


def placeholders(arguments: Iterable[str]) -> set[str]:
    """Return the names of the placeholders in some arguments."""
    return {name for argument in arguments for name in PLACEHOLDER.findall(argument)}
