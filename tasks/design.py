"""Design, as a task."""

from dataclasses import asdict
from typing import Any

from prefect import task

from phases.campaign import Campaign
from phases.design import design as design_phase


@task(name="design")
def design(campaign: Campaign) -> dict[str, Any]:
    """Draw the initial samples and the test set."""
    return asdict(design_phase(campaign))
