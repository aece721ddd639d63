"""The settings of every solver, as a campaign file gives them."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from solvers.command_settings import CommandSettings
from solvers.openfoam.settings import OpenFOAMSettings

_MODEL = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class ChannelSettings(BaseModel):
    """The embedded default: steady flow past an elliptic obstacle in a channel."""

    model_config = _MODEL

    kind: Literal["channel"] = "channel"
    mesh: Literal["coarse", "medium", "fine"] = "coarse"
    """Mesh level: 4,312, 9,492 or 25,900 unknowns."""
    tolerance: Annotated[float, Field(gt=1e-14, lt=1e-2)] = 1e-10
    """Norm of the free residual, over that of the forces on the boundary, to iterate down to."""
    max_iterations: Annotated[int, Field(ge=1)] = 15
    """Most Picard and Newton steps of one solve, from one starting state."""
    continuation: bool = True
    """Whether a solve that fails is tried again in steps from a lower Reynolds number."""


class AnalyticSettings(BaseModel):
    """Closed forms that cost nothing, for tests and tutorials."""

    model_config = _MODEL

    kind: Literal["analytic"] = "analytic"
    problem: Literal[
        "wave", "local", "shock", "cliff", "friedman", "forrester", "forrester_low"
    ] = "wave"
    """`wave`: 2 parameters, a small field; `local`: 4, a scalar with a narrow peak; `shock`: 4, a
    field with a moving front; `cliff`: 4, a scalar that has no value in two fifths of the cube
    and takes up to ten times as long at some points; `friedman`: 10, of which 5 change nothing;
    `forrester`: 1, and `forrester_low` is a cheap function like it, for two levels of one solver.
    All parameters are meant for 0 to 1."""
    fails_above: Annotated[float, Field(allow_inf_nan=False)] | None = None
    """The solver diverges where the first parameter exceeds this; never by default."""
    seconds: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    """Seconds that each solve sleeps, to stand for a solver that takes its time; `cliff` sleeps up
    to ten times as long."""


class CombinedSettings(BaseModel):
    """The combined equation on a line: steepening, diffusion and dispersion, in milliseconds."""

    model_config = _MODEL

    kind: Literal["combined"] = "combined"
    points: Annotated[int, Field(ge=16, multiple_of=2)] = 128
    """Mesh points; two thirds of their waves are resolved."""
    steps: Annotated[int, Field(ge=1)] = 128
    """Steps of equal length in time."""
    duration: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 4.0
    """When the field is looked at."""
    tail: Annotated[float, Field(gt=0, le=1)] = 1e-2
    """Largest amplitude of the shortest waves, over the largest wave's, of a resolved field."""


class CustomSettings(BaseModel):
    """A user's own solver: any class with the members of `solvers.protocol.Solver`."""

    model_config = _MODEL

    kind: Literal["custom"] = "custom"
    factory: Annotated[str, Field(pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$")]
    """Where the class or function is, as `package.module:name`; it must be importable where the
    campaign runs. It is code: name only what you trust."""
    options: dict[str, bool | int | float | str] = {}
    """Keyword arguments for it."""


SolverSettings = Annotated[
    ChannelSettings
    | AnalyticSettings
    | CombinedSettings
    | CommandSettings
    | CustomSettings
    | OpenFOAMSettings,
    Field(discriminator="kind"),
]
"""The settings of any solver; `kind` says which."""
