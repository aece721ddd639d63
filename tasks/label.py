"""Label, as tasks: one `solve-<id>` run per sample, then one that says how the step went."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from prefect import Task, task
from prefect.futures import PrefectFuture, as_completed
from prefect.task_runners import ThreadPoolTaskRunner

from phases.asked import initial_picks, queried_picks, test_picks
from phases.campaign import Campaign
from phases.label import conclude_design_label, conclude_label, label_sample, solver_workers
from phases.progress import tell
from pools.errors import SolverError
from pools.pick import Pick
from pools.record import SampleRecord
from solvers.label import NOTHING_BY_HAND, ByHand
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
    campaign: Campaign,
    step: int,
    pick: Pick,
    workers: SolverWorkers,
    *,
    retry_failed: bool,
    by_hand: ByHand = NOTHING_BY_HAND,
) -> dict[str, Any]:
    """Obtain the solution of one sample; the task fails where there is none."""
    record = label_sample(
        campaign, step, pick, workers, retry_failed=retry_failed, by_hand=by_hand
    )
    return {"sample": pick.sample.id, "seconds": record.seconds, "solution": record.solution}


def solve_all(
    campaign: Campaign, step: int, picks: Sequence[Pick], *, where: str = "", retry_failed: bool
) -> float:
    """Fan out over the samples, so that each one's result is committed when it ends.

    Called in a flow's body: results of tasks that a task maps are committed only with the outer
    one. A failed sample never stops the others.

    Args:
        campaign: whose.
        step: the step that asked.
        picks: the samples; nothing happens without any.
        where: what the progress in the UI is called; the step unless given.
        retry_failed: solve again what failed for a numerical reason.

    Returns:
        Seconds that it took.
    """
    asked = [SampleRecord(pick, step) for pick in picks]
    return _fan_out(campaign, asked, where or f"step{step:03d}", {"retry_failed": retry_failed})


def solve_again(campaign: Campaign, failed: Sequence[SampleRecord], by_hand: ByHand) -> float:
    """Fan out over failed samples of any steps, as `solve_all`, with what a person changes."""
    return _fan_out(campaign, failed, "retry", {"retry_failed": True, "by_hand": by_hand})


@task(name="label", task_run_name="label-step{step:03d}")
def label(campaign: Campaign, step: int, spent: float) -> dict[str, Any]:
    """Say how the step's samples went; fails when too few were solved."""
    publish_samples(campaign, f"step{step:03d}", queried_picks(campaign, step))
    return asdict(conclude_label(campaign, step, spent))


@task(name="label-design")
def label_design(campaign: Campaign, spent: float) -> dict[str, Any]:
    """Say how the initial samples and the test set went; fails when too few were solved."""
    publish_samples(campaign, "design", [*initial_picks(campaign), *test_picks(campaign)])
    return asdict(conclude_design_label(campaign, spent))


def _fan_out(
    campaign: Campaign, asked: Sequence[SampleRecord], where: str, how: Mapping[str, Any]
) -> float:
    """Submit a task for each sample and wait for all; return the seconds that it took."""
    if not asked:
        return 0.0
    started = time.monotonic()
    policy = campaign.config.label
    with (
        ThreadPoolTaskRunner[Any](max_workers=policy.workers) as runner,  # the others are Pending
        solver_workers(campaign, policy.workers) as workers,  # closed first
    ):
        same = {"campaign": campaign, "workers": workers, **how}
        futures = [
            runner.submit(
                _solve_of(campaign, record.pick),
                {**same, "step": record.step, "pick": record.pick},
            )
            for record in asked
        ]
        _watch(ProgressArtifact(campaign, where, len(futures)), futures)
    return time.monotonic() - started


def _solve_of(campaign: Campaign, pick: Pick) -> Task[..., dict[str, Any]]:
    """Return the task for a sample; what the disk lacks is never taken from Prefect's cache."""
    place = campaign.sample_directory(pick.sample.id)
    record = place.read()
    is_solved = record is not None and place.is_solved(record)
    options = retry_options(campaign.config.label)
    return solve.with_options(refresh_cache=not is_solved, **options)


def _watch(progress: ProgressArtifact, futures: Sequence[PrefectFuture[Any]]) -> None:
    """Tell how far labelling has got, sample by sample."""
    failed = 0
    for done, future in enumerate(as_completed(list(futures)), start=1):
        future.wait()  # the state may lag behind the end of the run
        failed += not future.state.is_completed()
        note = f"({failed} failed)" if failed else ""
        tell("label", done, len(futures), note)
        progress.update(done, failed)
    if faults := [error for future in futures if (error := _fault(future)) is not None]:
        raise faults[0]


def _fault(future: PrefectFuture[Any]) -> Exception | None:
    """Return why a run failed where that is not the sample's doing: a full disk, for example."""
    if future.state.is_completed():
        return None
    error = future.state.result(raise_on_failure=False)
    is_fault = isinstance(error, Exception) and not isinstance(error, SolverError)
    return error if is_fault else None
