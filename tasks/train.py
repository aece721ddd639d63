"""Train, as a task."""

from dataclasses import asdict
from typing import Any

from prefect import task

from phases.campaign import Campaign
from phases.train import train as train_phase


@task(name="train", task_run_name="train-step{step:03d}")
def train(campaign: Campaign, step: int) -> dict[str, Any]:
    """Train the surrogate on all that is labelled when the step begins."""
    return asdict(train_phase(campaign, step))
