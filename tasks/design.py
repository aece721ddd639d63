"""Design, as a task."""

from dataclasses import asdict
from typing import Any

from prefect import task

from phases.campaign import Campaign
from phases.design import design as design_phase
from tasks.policy import PERSISTED


@task(name="design", **PERSISTED)
def design(campaign: Campaign, step: int = 0) -> dict[str, Any]:  # noqa: ARG001 - its key
    """Draw the initial samples and the test set."""
    return asdict(design_phase(campaign))
