"""The gate's rules and thresholds, as a campaign file gives them."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

_MODEL = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class Drift(BaseModel):
    """Quantities that must have settled."""

    model_config = _MODEL

    quantities: tuple[str, ...] = ()
    """Which; all that have a record if none is named."""
    window: Annotated[float, Field(gt=0, le=1)] = 0.2
    """The last share of the record that is looked at."""
    limit: Annotated[float, Field(gt=0)] = 1e-3
    """The largest range within it, over the mean magnitude there."""


class Convergence(BaseModel):
    """The gate: which answers count as converged. What it rejects never enters the pool."""

    model_config = _MODEL

    residual: Annotated[float, Field(gt=0)] | dict[str, Annotated[float, Field(gt=0)]] | None = (
        1e-4
    )
    """Largest initial residual of the last iteration, for all fields or each (U is the largest of
    its components). One number is asked of steady runs only."""
    marginal: Annotated[float, Field(ge=1)] = 10.0
    """Up to so many times a threshold is marginal; above is rejected."""
    drift: Drift | None = None
    """Which quantities must have settled, and how well."""
    mass_balance: Annotated[float, Field(gt=0)] | None = 1e-3
    """Largest net flow through all patches, over the flow through them."""
    courant: Annotated[float, Field(gt=0)] | None = None
    """Largest Courant number of a transient run's last half."""
    bounds: dict[str, Annotated[float, Field(gt=0)]] = {}
    """Largest magnitude of a field of OpenFOAM's; beyond it the run has diverged."""
    min_iterations: Annotated[int, Field(ge=0)] = 2
    """A run that ends after fewer has solved nothing: a wall or an inlet is forgotten."""
    accept: Literal["converged", "marginal"] = "converged"
    """The least that is let into the pool."""
