"""How a campaign and its steps went: events for the Prefect server, and the runs' last words."""

from collections.abc import Callable

from flows.server_silence import silence_told
from phases.campaign import Campaign
from phases.overview import failures, step_of, tally_of
from pools.errors import SolverloopError
from tasks.best_effort import best_effort
from tasks.completed import completed
from tasks.events import (
    CAMPAIGN_FAILED,
    CAMPAIGN_STOPPED,
    campaign_ended,
    campaign_started,
    step_completed,
)


def run_told(campaign: Campaign, work: Callable[[], str]) -> str:
    """Go on with a campaign, and tell that it does and how it ends.

    Args:
        campaign: which.
        work: goes on with it; returns why it stopped, in words, or nothing where it has not.

    Returns:
        What the work returns.
    """
    try:
        with silence_told():
            campaign_started(campaign)
            reason = work()
    except SolverloopError as error:
        _tell_end(CAMPAIGN_FAILED, campaign, str(error))
        raise
    if reason:
        _tell_end(CAMPAIGN_STOPPED, campaign, reason)
    return completed(f"stopped by {reason}" if reason else "goes on", reason)


def step_told(campaign: Campaign, step: int, reason: str) -> str:
    """Tell that a step is done, and how its samples ended.

    Args:
        campaign: whose.
        step: which.
        reason: why the campaign stops after it; empty where it goes on.

    Returns:
        The reason.
    """
    tally, overview = tally_of(campaign, step), step_of(campaign, step)
    numbers = {
        "error": overview.error,
        "labelled": overview.labelled,
        "solver_seconds": round(overview.solver_seconds, 3),
        "stopped": reason,
    }
    step_completed(campaign, step, tally, numbers)
    went = f"{tally}; error {overview.error:.4f} with {overview.labelled} samples"
    return completed(f"stopped by {reason}" if reason else went, reason)


def _tell_end(event: str, campaign: Campaign, reason: str) -> None:
    """Tell how a campaign ended; where its directory is damaged, that is not the place to say."""
    best_effort(
        "how the campaign ended",
        lambda: campaign_ended(event, campaign, reason, len(failures(campaign))),
    )
