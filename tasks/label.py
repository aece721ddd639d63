"""Label, as tasks: one `solve-<id>` run per sample, then one that says how the step went."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from prefect import task, unmapped
from prefect.futures import PrefectFuture, as_completed

from phases.asked import initial_picks, queried_picks, test_picks
from phases.campaign import Campaign
from phases.label import conclude_design_label, conclude_label, label_sample
from phases.progress import tell
from pools.pick import Pick
from solvers.workers import SolverWorkers
from tasks.artifacts import ProgressArtifact, publish_samples
from tasks.policy import cache_key, retry_options


@task(
    name="solve",
    task_run_name="solve-{pick.sample.id}",
    persist_result=True,
    result_serializer="json",
    cache_key_fn=cache_key,
)
def solve(
    campaign: Campaign, step: int, pick: Pick, workers: SolverWorkers, *, retry_failed: bool
) -> dict[str, Any]:
    """Obtain the solution of one sample; the task fails where there is none."""
    record = label_sample(campaign, step, pick, workers, retry_failed=retry_failed)
    return {"sample": pick.sample.id, "seconds": record.seconds, "solution": record.solution}


def solve_all(campaign: Campaign, step: int, picks: Sequence[Pick], *, retry_failed: bool) -> None:
    """Fan out over the samples, so that each one's result is committed when it ends.

    Called in a flow's body: results of tasks that a task maps are committed only with the outer
    one. A failed sample never stops the others.
    """
    if not picks:
        return
    policy = campaign.config.label
    with SolverWorkers(campaign.config.solver, policy.workers) as workers:
        futures = solve.with_options(**retry_options(policy)).map(
            unmapped(campaign), step, picks, unmapped(workers), retry_failed=retry_failed
        )
        _watch(campaign, step, futures)


@task(
    name="label",
    task_run_name="label-step{step:03d}",
    persist_result=True,
    result_serializer="json",
    cache_key_fn=cache_key,
)
def label(campaign: Campaign, step: int) -> dict[str, Any]:
    """Say how the step's samples went; fails when too few were solved."""
    publish_samples(campaign, step, queried_picks(campaign, step))
    return asdict(conclude_label(campaign, step))


@task(
    name="label-design",
    persist_result=True,
    result_serializer="json",
    cache_key_fn=cache_key,
)
def label_design(campaign: Campaign, step: int = 0) -> dict[str, Any]:
    """Say how the initial samples and the test set went; fails when too few were solved."""
    publish_samples(campaign, step, [*initial_picks(campaign), *test_picks(campaign)])
    return asdict(conclude_design_label(campaign))


def _watch(campaign: Campaign, step: int, futures: Sequence[PrefectFuture[Any]]) -> None:
    """Tell how far labelling has got, sample by sample."""
    progress, failed = ProgressArtifact(campaign, step, len(futures)), 0
    for done, future in enumerate(as_completed(list(futures)), start=1):
        future.wait()  # the state may lag behind the end of the run
        failed += not future.state.is_completed()
        note = f"({failed} failed)" if failed else ""
        tell("label", done, len(futures), note)
        progress.update(done, failed)
