"""How the share of the finest level grows over a campaign."""

from typing import Annotated, Self

from pydantic import BaseModel, Field, model_validator

from strategies.plain_settings import MODEL
from strategies.stopping import StoppingSettings

_LATE = 3  # a share that grew evenly spent too much on the fine level: docs/multi-fidelity.md

Part = Annotated[float, Field(ge=0, le=1)]


class FineShareSettings(BaseModel):
    """The least share of what a step asks for that is asked of the finest level."""

    model_config = MODEL

    start: Part = 0.25
    """At the beginning of the campaign."""
    end: Part = 1.0
    """In its last step; at least `start`."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.end < self.start:
            raise ValueError(
                f"end is {self.end:g} and start is {self.start:g}; the finest level's share must "
                "not fall: swap them"
            )
        return self

    def at(self, progress: float) -> float:
        """Return the share when so much of the campaign, 0 to 1, is done; it grows late."""
        grown = progress**_LATE
        return (1 - grown) * self.start + grown * self.end


def progress_of(settings: StoppingSettings, step: int, labelled: int, budget_left: float) -> float:
    """Return how much of a campaign is done when a step is, from 0 to 1, by what ends it first.

    Args:
        settings: its budgets.
        step: the step.
        labelled: samples of all levels before it.
        budget_left: share of the budget of solver seconds; of no account without one.
    """
    parts = [(step + 1) / max(settings.max_steps, 1)]
    if settings.budget_samples is not None:
        parts.append(labelled / settings.budget_samples)
    if settings.budget_solver_seconds is not None:
        parts.append(1 - budget_left)
    return min(max(parts), 1.0)
