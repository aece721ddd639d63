"""Metrology, as a task."""

from dataclasses import asdict
from typing import Any

from prefect import task

from phases.campaign import Campaign
from phases.metrology import metrology as metrology_phase
from tasks.policy import cache_key


@task(
    name="metrology",
    task_run_name="metrology-step{step:03d}",
    persist_result=True,
    result_serializer="json",
    cache_key_fn=cache_key,
)
def metrology(campaign: Campaign, step: int) -> dict[str, Any]:
    """Measure the surrogate on the fixed test set, and log every stopping signal."""
    return asdict(metrology_phase(campaign, step))
