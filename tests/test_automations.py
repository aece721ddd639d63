"""Automations on a real Prefect server: made once, and doing what they are for."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from uuid import UUID

import pytest
from campaign_examples import environment
from plain_campaigns import start
from prefect import flow
from prefect.blocks.webhook import Webhook
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import FlowFilter
from prefect.client.schemas.objects import FlowRun
from prefect.events import emit_event
from prefect.events.schemas.automations import Automation
from prefect.states import Running, Suspended

from flows.automations import RETRY, apply_automations, crash_dead_runs
from phases.campaign import Campaign
from phases.tally import Tally
from pools.errors import UsageError
from pools.outcome import Outcome
from tasks.events import CAMPAIGN_STOPPED, campaign_ended, tell_many_failed

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("prefect_api")]

CRASH = "solverloop: a run that died becomes Crashed"
NOTIFY = "solverloop: many samples failed"
AGAIN = "solverloop: try again what the infrastructure let fail"


@pytest.fixture
def client(prefect_api: str) -> Iterator[SyncPrefectClient]:  # noqa: ARG001 - it is there
    """Return a client of a server that has no automation before and after."""
    with get_client(sync_client=True) as client:
        yield client
        for automation in client.read_automations():
            client.delete_automation(automation.id)


@pytest.fixture
def campaign(tmp_path: Path) -> Campaign:
    return start(tmp_path / "wave")


@pytest.fixture
def told() -> Iterator[list[dict[str, Any]]]:
    """Return what a webhook of the block `webhook/cfd` is told."""
    heard: list[dict[str, Any]] = []

    class Listener(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            heard.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Listener) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}"
        Webhook(url=address).save("cfd", overwrite=True)  # type: ignore[arg-type]  # a secret
        yield heard
        server.shutdown()


@pytest.fixture
def deployment(client: SyncPrefectClient) -> Iterator[str]:
    """Return the name of a deployment that nobody works at."""

    @flow(name="retry")
    def retry() -> None:
        """Do nothing."""

    made = client.create_deployment(client.create_flow(retry), "retry")
    yield RETRY
    client.delete_deployment(made)


def wait_for(known: Callable[[], Any], seconds: float = 60) -> Any:
    """Return what is known as soon as it is something."""
    deadline = time.monotonic() + seconds
    while not (found := known()):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    return found


def by_name(client: SyncPrefectClient) -> dict[str, Automation]:
    automations = client.read_automations()
    assert len({each.name for each in automations}) == len(automations)
    return {each.name: each for each in automations}


@pytest.mark.usefixtures("told", "deployment")
def test_applied_twice_there_is_one_of_each(client: SyncPrefectClient) -> None:
    first = apply_automations("webhook/cfd")
    made = by_name(client)
    again = apply_automations("webhook/cfd")
    assert {each.how for each in first} == {"created"}
    assert {each.how for each in again} == {"there already"}
    assert set(by_name(client)) == set(made) == {CRASH, NOTIFY, AGAIN}
    assert {n: a.enabled for n, a in made.items()} == {CRASH: True, NOTIFY: True, AGAIN: False}


@pytest.mark.usefixtures("deployment")
def test_a_persons_switch_stays_and_what_differs_is_changed(client: SyncPrefectClient) -> None:
    apply_automations()
    client.resume_automation(by_name(client)[AGAIN].id)
    client.update_automation(by_name(client)[CRASH].id, crash_dead_runs(45))
    assert {a.name: a.how for a in apply_automations() if "left out" not in a.how} == {
        CRASH: "changed",
        AGAIN: "there already",
    }
    assert by_name(client)[AGAIN].enabled
    assert by_name(client)[CRASH].trigger == crash_dead_runs().trigger


def test_what_is_not_there_is_left_out_and_said(client: SyncPrefectClient) -> None:
    assert {each.name: each.how for each in apply_automations()} == {
        CRASH: "created",
        NOTIFY: "left out: no block was named to notify",
        AGAIN: "left out: there is no deployment retry/retry",
    }
    assert set(by_name(client)) == {CRASH}
    with pytest.raises(UsageError, match="no block 'slack-webhook/nobody'"):
        apply_automations("slack-webhook/nobody")


@pytest.mark.usefixtures("client")
def test_a_person_is_told_of_a_step_of_which_many_samples_failed(
    told: list[dict[str, Any]], campaign: Campaign
) -> None:
    apply_automations("webhook/cfd")
    time.sleep(1)  # the server loads it
    tell_many_failed(campaign, "step002", Tally(9, 0, {Outcome.DIVERGED: 1}))  # as usual
    tell_many_failed(campaign, "step003", Tally(3, 1, {Outcome.DIVERGED: 4}))
    said = "wave, step003: 3 solved, 1 recovered, 4 failed: diverged"
    assert wait_for(lambda: told) == [{"text": f"many samples failed: {said}"}]


@pytest.mark.usefixtures("deployment")
def test_a_campaign_that_stops_with_failures_starts_the_retry(
    client: SyncPrefectClient, campaign: Campaign
) -> None:
    apply_automations()
    client.resume_automation(by_name(client)[AGAIN].id)
    time.sleep(1)  # the server loads it
    campaign_ended(CAMPAIGN_STOPPED, campaign, "max steps", failures=0)
    campaign_ended(CAMPAIGN_STOPPED, campaign, "max steps", failures=2)
    made = client.read_deployment_by_name(RETRY).id

    def started() -> list[dict[str, Any]]:
        runs = client.read_flow_runs()
        return [run.parameters for run in runs if run.deployment_id == made]

    directory = str(campaign.directory)
    assert wait_for(started) == [{"directory": directory, "outcomes": ["infrastructure"]}]


def test_a_run_whose_process_is_killed_becomes_crashed_and_one_that_waits_does_not(
    client: SyncPrefectClient, prefect_api: str, deployment: str
) -> None:
    client.create_automation(crash_dead_runs(after_seconds=10))  # the least; a beat is at once
    time.sleep(1)  # the server loads it
    waiting = suspended_run(client, deployment)
    beats = {**environment(prefect_api), "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "30"}

    def in_state(name: str) -> list[FlowRun]:
        runs = client.read_flow_runs(flow_filter=FlowFilter(name={"any_": ["beating"]}))
        return [run for run in runs if run.state and run.state.name == name]

    with subprocess.Popen([sys.executable, "tests/beating_flow.py"], env=beats) as process:
        (running,) = wait_for(lambda: in_state("Running"))
        wait_for(lambda: beats_of(client, running.id))
        process.kill()
    beat(client, running.id)  # once more: a busy server may have lost the first
    (crashed,) = wait_for(lambda: in_state("Crashed"))
    assert crashed.state.message.startswith("no heartbeat for 10 s")
    assert client.read_flow_run(waiting).state.name == "Suspended"


def suspended_run(client: SyncPrefectClient, deployment: str) -> UUID:
    """Return a run that has beaten, and then was suspended: it beats no more."""
    made = client.read_deployment_by_name(deployment).id
    run = client.create_flow_run_from_deployment(made).id
    client.set_flow_run_state(run, Running(), force=True)
    beat(client, run)
    client.set_flow_run_state(run, Suspended(timeout_seconds=600), force=True)
    return run


def beat(client: SyncPrefectClient, run: UUID) -> None:
    """Send a heartbeat for a run, and return once the server has it."""
    before = len(beats_of(client, run))
    emit_event("prefect.flow-run.heartbeat", {"prefect.resource.id": f"prefect.flow-run.{run}"})
    wait_for(lambda: len(beats_of(client, run)) > before)


def beats_of(client: SyncPrefectClient, run: UUID) -> list[Any]:
    """Return what the server has recorded of a run's heartbeats."""
    wanted = {
        "event": {"name": ["prefect.flow-run.heartbeat"]},
        "resource": {"id": [f"prefect.flow-run.{run}"]},
    }
    answer = client.request("POST", "/events/filter", json={"filter": wanted, "limit": 9})
    return list(answer.json()["events"])
