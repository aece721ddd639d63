"""Where the fields and the quantities of an answer come from."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from solvers.openfoam.words import Expression, Word

_MODEL = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

Component = Literal["x", "y", "z", "magnitude"]
Axis = Literal["x", "y", "z"]


class FieldSource(BaseModel):
    """Where a field of the answer comes from."""

    model_config = _MODEL

    field: Word
    """Name of OpenFOAM's field, such as U or p."""
    component: Component | None = None
    """Which component of a vector; a scalar has none."""
    unit: str | None = None
    """The unit that the field's dimension set must be; that of the template's field by default."""


class _Statistic(BaseModel):
    """What is made of a record over time or iterations."""

    model_config = _MODEL

    statistic: Literal["last", "mean", "min", "max", "rms", "amplitude", "frequency"] = "last"
    """What is taken of the record: its last value, or a measure over its last share. `rms` is
    about the mean, `amplitude` half the range, `frequency` of upward crossings of the mean."""
    last: Annotated[float, Field(gt=0, le=1)] = 0.5
    """The share of the record, counted from its end, that a measure looks at."""
    scale: Expression = "1"
    """What the value is multiplied by."""


class CoefficientSource(_Statistic):
    """A force coefficient of a `forceCoeffs` function object."""

    kind: Literal["coefficient"]
    function: Word
    """Name of the function object in the template's controlDict."""
    column: Word = "Cd"
    """Which coefficient: Cd, Cl, Cm, ... as its file's header names it."""
    unit: str = "1"
    """Its unit."""


class ForceSource(_Statistic):
    """A component of the whole force (pressure and viscous) of a `forces` function object."""

    kind: Literal["force"]
    function: Word
    """Name of the function object."""
    component: Axis = "x"
    """Which component."""
    unit: str = "N"
    """Its unit; give m4/s2 where the case has no density."""


class ProbeSource(_Statistic):
    """A field at a point, of a `probes` function object."""

    kind: Literal["probe"]
    function: Word
    """Name of the function object."""
    field: Word
    """Which of its fields."""
    component: Component | None = None
    """Which component of a vector."""
    probe: Annotated[int, Field(ge=0)] = 0
    """Which of its points, from 0."""
    minus: Annotated[int, Field(ge=0)] | None = None
    """Another of its points, whose value is subtracted: a pressure difference."""
    unit: str | None = None
    """Its unit; the field's in the template unless given."""


class SurfaceSource(_Statistic):
    """A value of a surface or volume function object, such as the mean pressure of a patch."""

    kind: Literal["surface"]
    function: Word
    """Name of the function object."""
    column: str
    """Which column, as its file's header names it: `areaAverage(p)`."""
    component: Axis | None = None
    """Which component of a vector."""
    unit: str | None = None
    """Its unit; that of the field in brackets unless given."""


class CrossingSource(BaseModel):
    """Where a field changes its sign along a patch: a point of reattachment, for example."""

    model_config = _MODEL

    kind: Literal["crossing"]
    patch: Word
    """Which patch."""
    field: Word
    """Which field, as written at the last time."""
    component: Component | None = None
    """Which component of a vector."""
    along: Axis = "x"
    """The coordinate that is answered."""
    which: Literal["first", "last"] = "last"
    """The first or the last change of sign along it."""
    scale: Expression = "1"
    """What the value is multiplied by."""
    unit: str = "m"
    """Its unit."""


class FunctionSource(_Statistic):
    """Any column of any file of a function object."""

    kind: Literal["function"]
    function: Word
    """Name of the function object."""
    file: str | None = None
    """Which of its files; the only one unless given."""
    column: str | int
    """Which column: the header's name, or its number with the time as 0."""
    unit: str
    """Its unit."""


QuantitySource = Annotated[
    CoefficientSource
    | ForceSource
    | ProbeSource
    | SurfaceSource
    | CrossingSource
    | FunctionSource,
    Field(discriminator="kind"),
]


class Resample(BaseModel):
    """A uniform grid that the fields are interpolated to."""

    model_config = _MODEL

    bounds: Annotated[tuple[tuple[float, float], ...], Field(min_length=2, max_length=3)]
    """Lower and upper bound along x, y (and z), in metres."""
    shape: Annotated[tuple[Annotated[int, Field(ge=2)], ...], Field(min_length=2, max_length=3)]
    """How many points along each."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if len(self.bounds) != len(self.shape):
            raise ValueError(
                f"bounds have {len(self.bounds)} directions and shape has {len(self.shape)}; give "
                "as many"
            )
        if any(low >= high for low, high in self.bounds):
            raise ValueError(
                f"got the bounds {self.bounds}; each is [low, high] with low below high"
            )
        return self
