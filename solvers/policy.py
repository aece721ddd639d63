"""How samples are labelled: how many at once, how long, how often again, how many must succeed."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class LabelPolicy(BaseModel):
    """The `label` section of a campaign file. It may change when a campaign is resumed."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    workers: Annotated[int, Field(ge=1, le=256)] = 2
    """How many samples are solved at once."""
    timeout_seconds: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 600.0
    """A solver that runs longer is ended, with everything it started, in seconds."""
    grace_seconds: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 5.0
    """Time between the polite and the forced end of a solver, in seconds."""
    retries: Annotated[int, Field(ge=0, le=10)] = 2
    """How often a sample is tried again after an infrastructure fault; never after a numerical
    failure, which would only repeat itself."""
    retry_delay_seconds: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 2.0
    """Pause before the first such retry; it doubles each time, in seconds."""
    min_success_fraction: Annotated[float, Field(ge=0, le=1)] = 0.5
    """The step fails, and can be retried, when a smaller share of its samples is solved."""
