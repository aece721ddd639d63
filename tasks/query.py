"""Query, as a task."""

from dataclasses import asdict
from typing import Any

from prefect import task

from phases.campaign import Campaign
from phases.query import query as query_phase


@task(name="query", task_run_name="query-step{step:03d}")
def query(campaign: Campaign, step: int) -> dict[str, Any]:
    """Choose the samples that the solver is asked for next."""
    return asdict(query_phase(campaign, step))
