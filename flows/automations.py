"""What the Prefect server does by itself: for dead runs, many failed samples, a stopped campaign.

Each automation is plain data with a name of its own, so that applying them again changes nothing.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.objects import BlockDocument, StateType
from prefect.events.actions import (
    CallWebhook,
    ChangeFlowRunState,
    RunDeployment,
    SendNotification,
)
from prefect.events.schemas.automations import Automation, AutomationCore, EventTrigger, Posture
from prefect.exceptions import ObjectNotFound

from pools.errors import UsageError
from pools.outcome import Outcome
from tasks.events import CAMPAIGN_FAILED, CAMPAIGN_STOPPED, HAS_FAILURES, MANY_FAILED

HEARTBEAT_SECONDS = 30
"""Time between the heartbeats of a run: its process needs PREFECT_FLOWS_HEARTBEAT_FREQUENCY."""
DEAD_AFTER_SECONDS = 90
"""Silence after which a run is dead: three heartbeats at least, else a busy one seems dead."""
RETRY = "retry/retry"
"""The deployment that tries failed samples again, as flow/name."""

_HEARTBEAT = "prefect.flow-run.heartbeat"
_ENDS = ("Completed", "Failed", "TimedOut", "Cancelled", "Crashed")
_WAITS = ("Paused", "Suspended", "AwaitingRetry")  # a run that waits has no process that beats
_MANY = (
    "{{ event.resource['prefect.resource.name'] }}, {{ event.payload['where'] }}: "
    "{{ event.payload['message'] }}"
)


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of an automation: `created`, `changed`, `there already`, or left out and why."""

    name: str
    how: str


def apply_automations(notify: str = "", retry: str = RETRY) -> list[Applied]:
    """Create what is missing on the server, and change what differs; again and again.

    Whether an automation is switched on stays as a person has left it.

    Args:
        notify: the block that tells a person, as type/name, such as `slack-webhook/cfd` or
            `webhook/pager`; nobody is told without one.
        retry: the deployment that tries failed samples again; without it that is left out.

    Raises:
        UsageError: there is no such block.
    """
    with get_client(sync_client=True) as client:
        block = block_of(client, notify) if notify else None
        deployment = _deployment(client, retry)
        wanted = [crash_dead_runs()]
        wanted += [notify_of_many_failures(block)] if block else []
        wanted += [retry_what_failed(deployment)] if deployment else []
        return [*(_apply(client, each) for each in wanted), *_left_out(block, deployment, retry)]


def crash_dead_runs(after_seconds: float = DEAD_AFTER_SECONDS) -> AutomationCore:
    """Mark a run Crashed that has been silent for so long though it neither ended nor waits."""
    ends = {f"prefect.flow-run.{state}" for state in (*_ENDS, *_WAITS)}
    return AutomationCore(
        name="solverloop: a run that died becomes Crashed",
        description="Its process sends a heartbeat as long as it lives.",
        trigger=EventTrigger(
            after={_HEARTBEAT},
            expect={_HEARTBEAT, *ends},
            match={"prefect.resource.id": "prefect.flow-run.*"},
            for_each={"prefect.resource.id"},
            posture=Posture.Proactive,
            threshold=1,
            within=timedelta(seconds=after_seconds),
        ),
        actions=[
            ChangeFlowRunState(
                state=StateType.CRASHED,
                message=f"no heartbeat for {after_seconds:g} s: its process or machine is gone; "
                "run it again to go on where it stopped",
            )
        ],
    )


def notify_of_many_failures(block: BlockDocument) -> AutomationCore:
    """Tell a person when more samples of a step failed than the campaign declares to be usual."""
    return AutomationCore(
        name="solverloop: many samples failed",
        description="More of a step's samples failed than label.alarm_failed_fraction.",
        trigger=_when(MANY_FAILED),
        actions=[_telling(block)],
    )


def retry_what_failed(deployment: UUID) -> AutomationCore:
    """Try again what the infrastructure let fail, when a campaign ends; off until switched on.

    Numerical failures are left out, since unchanged they only repeat themselves.
    """
    return AutomationCore(
        name="solverloop: try again what the infrastructure let fail",
        description="When a campaign stops or fails with samples that have no solution.",
        enabled=False,
        trigger=_when(CAMPAIGN_STOPPED, CAMPAIGN_FAILED, **{HAS_FAILURES: "yes"}),
        actions=[
            RunDeployment(
                source="selected",
                deployment_id=deployment,
                parameters={
                    "directory": "{{ event.payload['directory'] }}",
                    "outcomes": [Outcome.INFRASTRUCTURE.value],
                },
            )
        ],
    )


def _when(*events: str, **labels: str) -> EventTrigger:
    """Return the trigger of one of these events, of a campaign with these labels."""
    return EventTrigger(
        expect=set(events),
        match={"prefect.resource.id": "solverloop.campaign.*", **labels},
        posture=Posture.Reactive,
        threshold=1,
        within=timedelta(0),
    )


def _telling(block: BlockDocument) -> CallWebhook | SendNotification:
    if block.block_type is not None and block.block_type.slug == "webhook":
        payload = f'{{"text": "many samples failed: {_MANY}"}}'
        return CallWebhook(block_document_id=block.id, payload=payload)
    subject = "solverloop: many samples failed"
    return SendNotification(block_document_id=block.id, subject=subject, body=_MANY)


def block_of(client: SyncPrefectClient, notify: str) -> BlockDocument:
    """Return the block of this type/name.

    Raises:
        UsageError: there is none.
    """
    kind, _, name = notify.partition("/")
    try:
        return client.read_block_document_by_name(name, kind)
    except ObjectNotFound as error:
        raise UsageError(
            f"there is no block {notify!r} on the Prefect server; give one as type/name, such as "
            "slack-webhook/cfd, that you have made under Blocks in the UI, or none"
        ) from error


def _deployment(client: SyncPrefectClient, name: str) -> UUID | None:
    try:
        return client.read_deployment_by_name(name).id
    except ObjectNotFound:
        return None


def _left_out(
    block: BlockDocument | None, deployment: UUID | None, retry: str
) -> Iterator[Applied]:
    if block is None:
        yield Applied("solverloop: many samples failed", "left out: no block was named to notify")
    if deployment is None:
        why = f"left out: there is no deployment {retry}"
        yield Applied("solverloop: try again what the infrastructure let fail", why)


def _apply(client: SyncPrefectClient, wanted: AutomationCore) -> Applied:
    known = client.read_automations_by_name(wanted.name)
    if not known:
        client.create_automation(wanted)
        return Applied(wanted.name, "created")
    kept = wanted.model_copy(update={"enabled": known[0].enabled})
    if _core(known[0]) == kept:
        return Applied(wanted.name, "there already")
    client.update_automation(known[0].id, kept)
    return Applied(wanted.name, "changed")


def _core(known: Automation) -> AutomationCore:
    return AutomationCore.model_validate(known.model_dump(exclude={"id", "created", "updated"}))
