"""Metrology, as a task."""

from dataclasses import asdict
from typing import Any

from prefect import task

from phases.campaign import Campaign
from phases.metrology import metrology as metrology_phase


@task(name="metrology", task_run_name="metrology-step{step:03d}")
def metrology(campaign: Campaign, step: int) -> dict[str, Any]:
    """Measure the surrogate on the fixed test set, and log every stopping signal."""
    return asdict(metrology_phase(campaign, step))
