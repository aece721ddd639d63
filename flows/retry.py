"""Retry by hand: solve failed samples again, and append what succeeds."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from prefect import flow

from flows.names import retry_run_name
from flows.server_silence import silence_told
from flows.tags import tag_run
from phases.elsewhere import opened_on_worker
from phases.retry import conclude, plan_retry
from pools.outcome import Outcome
from pools.record import Setting
from solvers.label import ByHand
from tasks.completed import completed
from tasks.label import solve_again
from tasks.report import report_campaign
from tasks.retry import append_retried


@flow(name="retry", flow_run_name=retry_run_name)
def retry_failed_samples(
    directory: Path,
    ids: Sequence[str] = (),
    outcomes: Sequence[Outcome] = (),
    changes: Mapping[str, Setting] | None = None,
    timeout: float | None = None,
    workers: int | None = None,
) -> str:
    """Solve exactly the failed samples of a campaign again; old attempts stay as evidence.

    What succeeds is appended to the pool as a shard of its own, which the next step trains on. The
    run is completed as soon as one sample was solved, since the pool has grown, and fails when
    none was: then other settings are needed.

    Args:
        directory: the campaign's directory.
        ids: of the samples, or how they begin; all that failed unless given.
        outcomes: only those that failed so, such as `diverged`.
        changes: settings of the solver to change for this try, such as `relaxation.U: 0.5`.
        timeout: deadline of each attempt in seconds; the campaign's unless given.
        workers: how many samples are solved at once; as the campaign says unless given.

    Returns:
        How it went, in words.
    """
    campaign = opened_on_worker(directory).with_workers(workers)
    tag_run(campaign.config.name, "retry")
    with silence_told(), campaign.exclusive():
        campaign.verify()
        plan = plan_retry(campaign, ids, outcomes, ByHand(changes or {}, timeout))
        seconds = solve_again(campaign, plan.records, plan.by_hand)
        append_retried(campaign, plan.records, seconds)
        report_campaign(campaign)
    message = conclude(campaign, plan)
    return completed(message, message)
