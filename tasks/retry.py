"""Retry, as tasks."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from prefect import task

from phases.asked import initial_picks, queried_picks, test_picks
from phases.campaign import Campaign
from phases.retry import append_retried as append_retried_phase
from pools.record import SampleRecord
from tasks.artifacts import publish_samples


@task(name="append-retried")
def append_retried(
    campaign: Campaign, tried: Sequence[SampleRecord], spent: float
) -> dict[str, Any]:
    """Append what was solved to the pools, and show how the samples stand now."""
    entry = append_retried_phase(campaign, tried, spent)
    publish_samples(campaign, "retry", [record.pick for record in tried])
    _publish_totals(campaign, tried)
    return asdict(entry) if entry else {}


def _publish_totals(campaign: Campaign, tried: Sequence[SampleRecord]) -> None:
    """Show the tables of the design and of the steps that asked for the samples anew."""
    design = [*initial_picks(campaign), *test_picks(campaign)]
    drawn = {pick.sample.id for pick in design}
    if any(record.pick.sample.id in drawn for record in tried):
        publish_samples(campaign, "design", design)
    for step in sorted({r.step for r in tried if r.pick.sample.id not in drawn}):
        publish_samples(campaign, f"step{step:03d}", queried_picks(campaign, step))
