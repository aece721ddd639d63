"""How samples are labelled: how many at once, how long, what happens when one fails."""

from collections import Counter
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from solvers.recovery import Rung
from solvers.retention import Keep


class LabelPolicy(BaseModel):
    """The `label` section of a campaign file. It may change when a campaign is resumed."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    workers: Annotated[int, Field(ge=1, le=256)] = 2
    """How many samples are solved at once."""
    timeout_seconds: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 600.0
    """A solver that runs longer is ended, with everything it started, in seconds."""
    grace_seconds: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 5.0
    """Time between the polite and the forced end of a solver, in seconds."""
    memory_gib: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    """Most memory that each process of a solver may take for itself, in GiB; none by default."""
    recovery: tuple[Rung, ...] = ()
    """What is tried, in this order, when a sample fails for a numerical reason."""
    retries: Annotated[int, Field(ge=0, le=10)] = 2
    """How often a sample is tried again after an infrastructure fault; never after a numerical
    failure, which would only repeat itself."""
    retry_delay_seconds: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 2.0
    """Pause before the first such retry; it doubles each time, in seconds."""
    min_success_fraction: Annotated[float, Field(ge=0, le=1)] = 0.5
    """The step fails, and can be retried, when a smaller share of its samples is solved."""
    alarm_failed_fraction: Annotated[float, Field(ge=0, le=1)] = 0.2
    """A step of which a larger share fails is told as an event, which may notify a person."""
    keep: Keep = "all"
    """What stays of a solved sample's attempts: `all`; `failed`, those that failed; `solution`,
    none. Their records, the solution, and all of a sample that failed stay in any case."""

    @model_validator(mode="after")
    def _check_names(self) -> Self:
        names = Counter(rung.name for rung in self.recovery)
        if twice := [name for name, count in names.items() if count > 1]:
            raise ValueError(
                f"recovery has more than one rung named {twice[0]!r}; give each a name of its own"
            )
        return self
