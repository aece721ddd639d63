"""What happens in a campaign, as events on the Prefect server: automations react to them.

The resource is the campaign, or one sample; what an automation may match is in its labels, and
the numbers are in the payload. Prefect adds the flow run and the task run that tell.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

from prefect.events import emit_event
from prefect.runtime import task_run

from phases.campaign import Campaign
from phases.tally import Tally, is_recovered
from pools.outcome import Outcome
from pools.pick import Pick
from pools.record import SampleRecord
from tasks.best_effort import best_effort

SAMPLE_FAILED = "solverloop.sample.failed"
SAMPLE_RECOVERED = "solverloop.sample.recovered"
STEP_COMPLETED = "solverloop.step.completed"
MANY_FAILED = "solverloop.step.many-failed"
CAMPAIGN_STARTED = "solverloop.campaign.started"
CAMPAIGN_STOPPED = "solverloop.campaign.stopped"
CAMPAIGN_FAILED = "solverloop.campaign.failed"

HAS_FAILURES = "solverloop.has-failures"
"""Label of a campaign that stops: `yes` or `no`."""
_RESOURCE, _NAME, _ROLE = (f"prefect.resource.{what}" for what in ("id", "name", "role"))


@contextmanager
def sample_told(campaign: Campaign, pick: Pick) -> Iterator[None]:
    """Tell how a sample ends that is tried while the context lasts.

    Nothing is told of what was not tried, nor of a fault after which Prefect tries again.
    """
    before = _attempts(campaign, pick)
    try:
        yield
    finally:
        record = campaign.sample_directory(pick.sample.id).read()
        if record is not None and len(record.attempts) > before:
            _tell_sample(campaign, record)


def step_completed(
    campaign: Campaign, step: int, tally: Tally, numbers: Mapping[str, Any]
) -> None:
    """Tell that a step is done.

    Args:
        campaign: whose.
        step: which.
        tally: how its samples ended.
        numbers: what else there is to say.
    """
    payload = {"step": step, **_counts(tally), **numbers}
    _tell(STEP_COMPLETED, _campaign(campaign), payload)


def tell_many_failed(campaign: Campaign, where: str, tally: Tally) -> None:
    """Tell of samples of which more failed than the campaign declares to be usual."""
    usual = campaign.config.label.alarm_failed_fraction
    if tally.failed_share > usual:
        payload = {"where": where, "usual_share": usual, **_counts(tally)}
        _tell(MANY_FAILED, _campaign(campaign), payload)


def campaign_started(campaign: Campaign) -> None:
    """Tell that a campaign begins, or goes on."""
    _tell(CAMPAIGN_STARTED, _campaign(campaign), {"directory": str(campaign.directory)})


def campaign_ended(event: str, campaign: Campaign, reason: str, failures: int) -> None:
    """Tell that a campaign stopped or failed, and how many samples have no solution.

    Args:
        event: `CAMPAIGN_STOPPED` or `CAMPAIGN_FAILED`.
        campaign: which.
        reason: why, in words.
        failures: samples without a solution.
    """
    labels = {HAS_FAILURES: "yes" if failures else "no"}
    payload = {"reason": reason, "failures": failures, "directory": str(campaign.directory)}
    _tell(event, {**_campaign(campaign), **labels}, payload)


def _tell_sample(campaign: Campaign, record: SampleRecord) -> None:
    last = record.attempts[-1]
    if last.outcome is Outcome.INFRASTRUCTURE and _is_tried_again(campaign):
        return
    if last.outcome is Outcome.OK and not is_recovered(record):
        return
    event = SAMPLE_RECOVERED if last.outcome is Outcome.OK else SAMPLE_FAILED
    home = campaign.sample_directory(record.pick.sample.id).path
    payload = {
        "campaign": campaign.config.name,
        "step": record.step,
        "outcome": last.outcome.value,
        "reason": last.reason,
        "attempts": len(record.attempts),
        "seconds": round(record.seconds, 3),
        "parameters": dict(record.pick.sample.parameters),
        "directory": str(home / last.directory),
    }
    related = {**_campaign(campaign), _ROLE: "campaign"}
    _tell(event, _sample(campaign, record), payload, related)


def _is_tried_again(campaign: Campaign) -> bool:
    """Whether the task that runs now is one that Prefect runs again after a fault."""
    return bool(task_run.id) and int(task_run.run_count) <= campaign.config.label.retries


def _attempts(campaign: Campaign, pick: Pick) -> int:
    record = campaign.sample_directory(pick.sample.id).read()
    return 0 if record is None else len(record.attempts)


def _counts(tally: Tally) -> dict[str, Any]:
    return {
        "solved": tally.solved,
        "recovered": tally.recovered,
        "failed": tally.failures,
        "failed_share": round(tally.failed_share, 4),
        "outcomes": {outcome.value: n for outcome, n in tally.failed.items()},
        "message": str(tally),
    }


def _campaign(campaign: Campaign) -> dict[str, str]:
    name = campaign.config.name
    return {
        _RESOURCE: f"solverloop.campaign.{name}",
        _NAME: name,
        "solverloop.directory": str(campaign.directory),
    }


def _sample(campaign: Campaign, record: SampleRecord) -> dict[str, str]:
    return {
        _RESOURCE: f"solverloop.sample.{record.pick.sample.id}",
        _NAME: record.pick.sample.id,
        "solverloop.campaign": campaign.config.name,
        "solverloop.outcome": record.attempts[-1].outcome.value,
    }


def _tell(
    event: str, resource: dict[str, str], payload: dict[str, Any], *related: dict[str, str]
) -> None:
    send = partial(emit_event, event, resource, related=list(related), payload=payload)
    best_effort(f"of the event {event}", send)
