"""One sample as a flow run of its own: its own Retry, Cancel and logs in the UI."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from prefect import flow, get_run_logger
from prefect.runtime import flow_run
from prefect.states import Failed

from phases.asked import pick_of
from phases.campaign import Campaign
from phases.campaign_file import read_changes
from phases.elsewhere import opened_on_worker
from phases.failed import failed_of
from phases.label import solver_workers
from phases.retry import append_if_free
from pools.errors import SolverError
from pools.pick import Pick
from solvers.label import ByHand
from tasks.artifacts import publish_failure
from tasks.completed import completed
from tasks.solve import solve_of


@flow(name="solve-sample", flow_run_name="solve-{sample}")
def solve_sample(
    directory: Path,
    step: int,
    sample: str,
    retry_failed: bool = True,  # noqa: FBT001, FBT002 - a switch in the form
    changes: Sequence[str] = (),
    timeout: float | None = None,
) -> str:
    """Solve one sample of a campaign.

    *Retry* solves it again where it failed. What is solved after its step went on without it is
    appended to the pool as soon as nobody runs the campaign, else by its next step.

    Args:
        directory: the campaign's directory, as the worker sees it.
        step: the step that asked for the sample; 0 for the initial design and the test set.
        sample: its id.
        retry_failed: solve it again where it failed for a numerical reason.
        changes: settings of the solver to change for this try, such as `relaxation.U=0.5`.
        timeout: deadline of each attempt in seconds; the campaign's unless given.

    Returns:
        How it went, in words.
    """
    campaign = opened_on_worker(directory)
    pick = pick_of(campaign, step, sample)
    how = {
        "retry_failed": retry_failed or flow_run.run_count > 1,
        "by_hand": ByHand(read_changes(changes), timeout),
    }
    try:
        _solve(campaign, step, pick, how)
    except SolverError as error:
        return _failed(campaign, pick, error)
    message = f"solved; {append_if_free(campaign, pick)}"
    return completed(message, message)


def _solve(campaign: Campaign, step: int, pick: Pick, how: dict[str, Any]) -> None:
    with solver_workers(campaign, 1) as workers:
        solve_of(campaign, pick)(campaign=campaign, step=step, pick=pick, workers=workers, **how)


def _failed(campaign: Campaign, pick: Pick, error: SolverError) -> str:
    """Show why there is no solution where a person looks first: state, log, artifact."""
    record = campaign.sample_directory(pick.sample.id).read()
    if record is not None and record.attempts:
        failed = failed_of(campaign, record)
        publish_failure(campaign, failed)
        get_run_logger().error("%s\n%s", error, "\n".join(failed.telling))
    message = f"{error.outcome.value}: {error.reason}"
    return Failed(message=message)  # type: ignore[return-value]  # the final state
