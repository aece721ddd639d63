"""What a person sees of a campaign on a real Prefect server: events, tags, artifacts, words."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flow_runs import read_artifacts, tree
from plain_campaigns import QUICK
from server_events import events_of

from flows.campaign import run_campaign
from flows.retry import retry_failed_samples
from phases.campaign import Campaign
from phases.config import CampaignConfig
from phases.overview import failures
from pools.record import SampleRecord
from tasks.events import (
    CAMPAIGN_FAILED,
    CAMPAIGN_STARTED,
    CAMPAIGN_STOPPED,
    MANY_FAILED,
    SAMPLE_FAILED,
    SAMPLE_RECOVERED,
    STEP_COMPLETED,
)

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("prefect_api")]


class Ran:
    """A campaign of one step, of which some samples failed, and its flow run's final state."""

    def __init__(self, directory: Path, switch: Path) -> None:
        self.state: Any = run_campaign(watched(switch), directory, return_state=True)
        self.campaign = Campaign.open(directory)
        self.failed: list[SampleRecord] = failures(self.campaign)

    def events(self, name: str, count: int = 1) -> list[dict[str, Any]]:
        """Return the events of this name once there are so many."""
        return events_of(self.campaign.directory, name, count)


def watched(switch: Path, **label: Any) -> CampaignConfig:
    """Return a small campaign whose samples of x below 0.4 fail while the switch is there."""
    options = {"edge": 0.4, "switch": str(switch)}
    content = {
        **QUICK,
        "name": "watched",
        "parameters": {"x": {"low": 0, "high": 1}},
        "solver": {"kind": "custom", "factory": "flaky_solver:Flaky", "options": options},
        "query": [{"kind": "sobol"}],
        "label": {"workers": 2, "min_success_fraction": 0.1, **label},
        "stopping": {"max_steps": 1},
    }
    return CampaignConfig.model_validate(content)


@pytest.fixture(scope="module")
def ran(
    prefect_api: str,  # noqa: ARG001 - it runs there
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Ran]:
    place = tmp_path_factory.mktemp("watched")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", f"{Path.cwd()}:{Path(__file__).parent}")
        (place / "switch").touch()
        yield Ran(place / "watched", place / "switch")


def test_each_failed_sample_is_told_with_its_reason(ran: Ran) -> None:
    told = {
        event["payload"]["directory"]: event
        for event in ran.events(SAMPLE_FAILED, len(ran.failed))
    }
    assert len(told) == len(ran.failed) > 0
    record = ran.failed[0]
    home = ran.campaign.sample_directory(record.pick.sample.id).path
    event = told[str(home / "attempt-01")]
    assert event["payload"]["outcome"] == event["resource"]["solverloop.outcome"] == "diverged"
    assert event["payload"]["reason"] == "the switch is on"
    assert event["payload"]["attempts"] == 1
    assert event["payload"]["parameters"] == dict(record.pick.sample.parameters)
    assert event["resource"]["prefect.resource.id"] == f"solverloop.sample.{record.pick.sample.id}"
    roles = {related["prefect.resource.role"] for related in event["related"]}
    assert {"campaign", "flow-run", "task-run"} <= roles


def test_the_step_and_the_campaign_are_told_with_their_numbers(ran: Ran) -> None:
    first, last = (event["payload"] for event in ran.events(STEP_COMPLETED, 2))
    assert (first["step"], last["step"]) == (0, 1)
    assert first["solved"] + first["failed"] == 4
    assert first["error"] > 0
    assert first["stopped"] == ""
    assert last["stopped"] == ran.state.result()
    (started,), (stopped,) = ran.events(CAMPAIGN_STARTED), ran.events(CAMPAIGN_STOPPED)
    assert started["occurred"] < stopped["occurred"]
    assert stopped["payload"]["failures"] == len(ran.failed)
    assert stopped["resource"]["solverloop.has-failures"] == "yes"
    assert stopped["resource"]["prefect.resource.id"] == "solverloop.campaign.watched"


def test_many_failed_is_told_of_what_exceeds_the_declared_share(ran: Ran) -> None:
    told = {event["payload"]["where"]: event["payload"] for event in ran.events(MANY_FAILED)}
    assert told["design"]["failed_share"] > told["design"]["usual_share"] == 0.2
    assert told["design"]["outcomes"] == {"diverged": told["design"]["failed"]}


def test_runs_are_tagged_by_campaign_and_step_and_no_task_is(ran: Ran) -> None:
    flow_runs, task_runs = tree(ran.state)
    tags = {run.name: set(run.tags) for run in flow_runs}
    assert tags["watched"] == {"solverloop", "watched"}
    assert tags["watched-step001"] == {"solverloop", "watched", "step001"}
    assert tags["watched-initial-design"] == {"solverloop", "watched", "initial-design"}
    assert not any(run.tags for run in task_runs), "each would ask the server for a slot"


def test_words_and_artifacts_tell_of_the_failed(ran: Ran) -> None:
    flow_runs, task_runs = tree(ran.state)
    messages = {run.name: run.state.message for run in [*flow_runs, *task_runs] if run.state}
    artifacts = read_artifacts()
    assert "failed: diverged" in messages["watched-initial-design"]
    assert messages["watched"] == f"stopped by {ran.state.result()}"
    assert messages["label-step000"] in messages["watched-step000"]
    failed = ran.failed[0].pick.sample.id
    again = f"solverloop retry {ran.campaign.directory} {failed}"
    assert again in artifacts["watched-design-failures"]
    assert artifacts["watched-step001-report"].count("data:image/png;base64,") == 2


def test_a_finished_campaign_that_is_run_again_alarms_nobody_again(ran: Ran) -> None:
    before = ran.events(MANY_FAILED)
    switch = ran.campaign.directory.parent / "switch"
    assert run_campaign(watched(switch), ran.campaign.directory, return_state=True).is_completed()
    assert len(ran.events(CAMPAIGN_STOPPED, 2)) == 2
    assert ran.events(MANY_FAILED) == before
    assert len(ran.events(SAMPLE_FAILED)) == len(ran.failed)


def test_what_a_retry_solves_is_told_as_recovered(ran: Ran, tmp_path: Path) -> None:
    directory = Path(shutil.copytree(ran.campaign.directory, tmp_path / "watched"))
    switch = ran.campaign.directory.parent / "switch"
    switch.unlink()
    retry_failed_samples(directory)
    switch.touch()
    found = events_of(directory, SAMPLE_RECOVERED, len(ran.failed))
    assert len(found) == len(ran.failed)
    assert {event["payload"]["attempts"] for event in found} == {2}
    assert read_artifacts()["watched-design-failures"] == "No sample is without a solution."


def test_a_campaign_that_cannot_go_on_is_told_with_the_reason(ran: Ran, tmp_path: Path) -> None:
    switch = ran.campaign.directory.parent / "switch"
    config = watched(switch, min_success_fraction=1)
    assert run_campaign(config, tmp_path / "watched", return_state=True).is_failed()
    (failed,) = events_of(tmp_path / "watched", CAMPAIGN_FAILED)
    assert "fewer than label.min_success_fraction = 1 asks for" in failed["payload"]["reason"]
    assert failed["payload"]["failures"] > 0
