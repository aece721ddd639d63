"""Label: the fan-out over the samples, then a task that says how the step went."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from prefect import task

from phases.asked import initial_picks, queried_picks, test_picks
from phases.campaign import Campaign
from phases.label import conclude_design_label, conclude_label
from phases.progress import tell
from phases.runner_settings import (
    DaskSettings,
    DeploymentSettings,
    RunnerSettings,
    ThreadsSettings,
)
from pools.pick import Pick
from pools.record import SampleRecord
from solvers.label import ByHand
from tasks.artifacts import ProgressArtifact, publish_samples
from tasks.completed import completed
from tasks.ended import Ended, How, Runner
from tasks.events import tell_many_failed
from tasks.on_deployment import solve_on_deployment
from tasks.on_threads import solve_on_threads


def solve_all(
    campaign: Campaign, step: int, picks: Sequence[Pick], *, where: str = "", retry_failed: bool
) -> float:
    """Fan out over the samples; a failed one never stops the others.

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
    return _fan_out(campaign, asked, How(where or f"step{step:03d}", retry_failed))


def solve_again(campaign: Campaign, failed: Sequence[SampleRecord], by_hand: ByHand) -> float:
    """Fan out over failed samples of any steps, as `solve_all`, with what a person changes."""
    return _fan_out(campaign, failed, How("retry", retry_failed=True, by_hand=by_hand))


@task(name="label", task_run_name="label-step{step:03d}")
def label(campaign: Campaign, step: int, spent: float) -> dict[str, Any]:
    """Say how the step's samples went; fails when too few were solved."""
    where = f"step{step:03d}"
    tally = publish_samples(campaign, where, queried_picks(campaign, step))
    if spent:  # else nothing was tried now, and a person was told before
        tell_many_failed(campaign, where, tally)
    return completed(str(tally), asdict(conclude_label(campaign, step, spent)))


@task(name="label-design")
def label_design(campaign: Campaign, spent: float) -> dict[str, Any]:
    """Say how the initial samples and the test set went; fails when too few were solved."""
    picks = [*initial_picks(campaign), *test_picks(campaign)]
    tally = publish_samples(campaign, "design", picks)
    if spent:
        tell_many_failed(campaign, "design", tally)
    return completed(str(tally), asdict(conclude_design_label(campaign, spent)))


def _fan_out(campaign: Campaign, asked: Sequence[SampleRecord], how: How) -> float:
    """Solve the samples wherever the campaign says; return the seconds that it took."""
    if not asked:
        return 0.0
    started = time.monotonic()
    solving = _runner(campaign.config.runner)(campaign, asked, how)
    _watch(ProgressArtifact(campaign, how.where, len(asked)), solving)
    return time.monotonic() - started


def _runner(settings: RunnerSettings) -> Runner:
    match settings:
        case ThreadsSettings():
            return solve_on_threads
        case DeploymentSettings():
            return solve_on_deployment
        case DaskSettings():
            from tasks.on_dask import solve_on_dask  # Dask need not be there for the others

            return solve_on_dask


def _watch(progress: ProgressArtifact, solving: Iterable[Ended]) -> None:
    """Tell how far labelling has got, sample by sample."""
    failed, faults = 0, []
    for done, ended in enumerate(solving, start=1):
        failed += ended.error is not None
        faults += [ended.fault] if ended.fault else []
        tell("label", done, progress.total, f"({failed} failed)" if failed else "")
        progress.update(done, failed)
    if faults:
        raise faults[0]
