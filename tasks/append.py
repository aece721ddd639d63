"""Append, as a task."""

from dataclasses import asdict
from typing import Any

from prefect import task

from phases.append import append as append_phase
from phases.append import append_design as append_design_phase
from phases.campaign import Campaign


@task(name="append", task_run_name="append-step{step:03d}")
def append(campaign: Campaign, step: int) -> dict[str, Any]:
    """Append the step's solutions to the training pool as one shard."""
    return asdict(append_phase(campaign, step))


@task(name="append-design")
def append_design(campaign: Campaign) -> dict[str, Any]:
    """Begin the training pool with the initial design, and write the test set beside it."""
    return asdict(append_design_phase(campaign))
