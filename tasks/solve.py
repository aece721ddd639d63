"""One sample, as the task `solve-<id>`."""

from functools import partial
from typing import Any, ParamSpec

from prefect import Task, task

from phases.campaign import Campaign
from phases.label import label_sample
from pools.pick import Pick
from pools.record import SampleRecord
from solvers.label import NOTHING_BY_HAND, ByHand
from solvers.workers import SolverWorkers
from tasks.events import sample_told
from tasks.policy import cache_key, retry_options

P = ParamSpec("P")


sample_task = partial(
    task,
    name="solve",
    task_run_name="solve-{pick.sample.id}",
    persist_result=True,
    result_serializer="json",
    cache_key_fn=cache_key,
)
"""Makes the task of one sample, wherever it is solved; it has the parameters of a cache key."""


@sample_task
def solve(
    campaign: Campaign,
    step: int,
    pick: Pick,
    workers: SolverWorkers,
    *,
    retry_failed: bool,
    by_hand: ByHand = NOTHING_BY_HAND,
) -> dict[str, Any]:
    """Obtain the solution of one sample; the task fails where there is none."""
    with sample_told(campaign, pick):
        record = label_sample(
            campaign, step, pick, workers, retry_failed=retry_failed, by_hand=by_hand
        )
    return result_of(record)


def result_of(record: SampleRecord) -> dict[str, Any]:
    """Return what Prefect keeps of a solved sample: names and numbers, never fields."""
    sample = record.pick.sample
    return {"sample": sample.id, "seconds": record.seconds, "solution": record.solution}


def solve_of(campaign: Campaign, pick: Pick) -> Task[..., dict[str, Any]]:
    """Return the task for a sample that is solved in this process."""
    return for_sample(solve, campaign, pick)


def for_sample(
    solving: Task[P, dict[str, Any]], campaign: Campaign, pick: Pick
) -> Task[P, dict[str, Any]]:
    """Return a task as a sample needs it: what the disk lacks is never taken from its cache."""
    is_solved = campaign.sample_directory(pick.sample.id).has_solution()
    options = retry_options(campaign.config.label)
    return solving.with_options(refresh_cache=not is_solved, **options)
