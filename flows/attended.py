"""A run that asks a person in the UI where too few samples were solved, and does what he says."""

from collections.abc import Callable
from typing import Any

from prefect import get_run_logger
from prefect.runtime import flow_run
from prefect.states import Cancelled

from flows.asking import Answer, answer, ask, can_ask
from flows.retry import retry_failed_samples
from phases.accepted import accept, unsolved
from phases.campaign import Campaign
from phases.campaign_file import read_changes
from pools.errors import TooFewLabelsError, UsageError


def attended(campaign: Campaign, work: Callable[[bool], str], *, retry_failed: bool) -> str:
    """Do the work of a run; first what a person answered when it was suspended.

    Args:
        campaign: whose.
        work: goes on with the campaign; takes whether failed samples are solved again.
        retry_failed: whether they are, unless a person says otherwise.

    Returns:
        What the work returns; a cancelled state where a person said to stop.

    Raises:
        TooFewLabelsError: where nobody can be asked: the run is no deployment's.
    """
    try:
        said = answer()
        if said is not None and said.choice == "stop":
            return _stopped(campaign)
        again = retry_failed if said is None else _done(campaign, said)
        return work(again)
    except (TooFewLabelsError, UsageError) as error:
        if can_ask() and unsolved(campaign):
            ask(campaign, error)
        raise


def _done(campaign: Campaign, said: Answer) -> bool:
    """Do what a person said; return whether failed samples are then solved again as declared."""
    get_run_logger().info("answered: %s %s", said.choice, ", ".join(said.changes))
    match said.choice:
        case "go on without them":
            accept(campaign, f"flow run {flow_run.name}")
        case "retry with changed settings":
            ids = [record.pick.sample.id for record in unsolved(campaign)]
            changes: dict[str, Any] = dict(read_changes(said.changes))
            retry_failed_samples(
                campaign.directory, ids, changes=changes, timeout=said.timeout_seconds
            )
        case "retry all" | "stop":
            pass
    return said.choice == "retry all"


def _stopped(campaign: Campaign) -> str:
    count = len(unsolved(campaign))
    message = f"stopped by hand: {count} samples without a solution; a new run asks again"
    return Cancelled(message=message)  # type: ignore[return-value]  # the final state
