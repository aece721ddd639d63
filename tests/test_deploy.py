"""What `solverloop deploy` makes of prefect.yaml and a campaign, and what it refuses."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from campaign_examples import Here, Refused, wave_file
from plain_campaigns import QUICK
from prefect.flows import Flow
from prefect.utilities.importtools import import_object

from flows.command_deploy import Wanted, schedule_of
from flows.deploying import crowding, in_words, of_campaign
from phases.config import CampaignConfig, parse
from pools.errors import UsageError

ROOT = Path(__file__).parents[1]
DECLARED: dict[str, Any] = yaml.safe_load((ROOT / "prefect.yaml").read_text())


def config(**changes: Any) -> CampaignConfig:
    return parse({**QUICK, **changes}, "test")


def wanted(**schedule: object) -> Wanted:
    return Wanted(None, "process", None, schedule, "")


@pytest.mark.parametrize("entry", DECLARED["deployments"], ids=lambda entry: str(entry["name"]))
def test_an_entrypoint_is_a_flow_of_this_repository(entry: dict[str, Any]) -> None:
    flow = import_object(entry["entrypoint"])
    assert isinstance(flow, Flow)
    assert entry["description"]
    assert entry["work_pool"]["name"] in {"train", "solve"}


def test_every_flow_names_its_run_by_what_it_does() -> None:
    flows = [import_object(entry["entrypoint"]) for entry in DECLARED["deployments"]]
    assert all(flow.flow_run_name for flow in flows)


def test_a_campaign_gets_two_deployments_with_its_numbers_in_their_forms() -> None:
    campaign, step = of_campaign(DECLARED, config(samples_per_step=3), None, wanted())
    assert campaign["name"] == step["name"] == "wave"
    assert campaign["parameters"]["config"]["samples_per_step"] == 3
    assert campaign["parameters"]["directory"] == "campaigns/wave"
    assert campaign["tags"] == ["solverloop", "wave"]
    assert "schedules" not in campaign
    assert "schedules" not in step


def test_only_the_next_step_has_the_schedule() -> None:
    schedule = schedule_of("0 2 * * *", None, active=False)
    campaign, step = of_campaign(DECLARED, config(), Path("/data/wave"), wanted(**schedule))
    assert step["schedules"] == [{"cron": "0 2 * * *", "active": False}]
    assert "schedules" not in campaign
    assert step["parameters"]["directory"] == "/data/wave"


def test_a_schedule_is_told_with_whether_it_fires_yet() -> None:
    paused = in_words(cron="0 2 * * *", active=False)
    assert paused.startswith("cron 0 2 * * *, paused; switch it on in the UI")
    assert in_words(interval=timedelta(hours=6), active=True) == "every 21600 s, active"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--cron", "0 2 * * *"], "--cron and --every are for a campaign's deployments"),
        (["--directory", "here"], "--directory is for a campaign's deployments; give its file"),
        (["wave.yaml", "--active"], "--active begins a schedule; give --cron or --every"),
        (["wave.yaml", "--cron", "99 2 * * *"], "--cron got '99 2 * * *'"),
        (["wave.yaml", "--set", "parameters.more.low=0"], "more"),
        (["odd.yaml"], "the solver analytic needs ['length', 'phase']"),
    ],
)
def test_what_cannot_be_deployed_is_refused_before_a_server_is_asked(
    refused: Refused,
    arguments: list[str],
    said: str,
    tmp_path: Path,
) -> None:
    files = {
        "wave.yaml": wave_file(tmp_path / "wave.yaml"),
        "odd.yaml": wave_file(tmp_path / "odd.yaml", parameters={"a": {"low": 0, "high": 1}}),
    }
    assert said in refused(2, "deploy", *(files.get(word, word) for word in arguments))


def test_every_is_a_duration() -> None:
    assert schedule_of(None, "15m", active=True) == {"interval": 900.0, "active": True}
    assert schedule_of(None, None, active=False) == {}


def test_one_schedule_at_a_time() -> None:
    with pytest.raises(UsageError, match="give one of them"):
        schedule_of("0 2 * * *", "15m", active=False)


def test_without_a_server_it_says_how_to_start_one(
    refused: Refused, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from prefect.settings import PREFECT_API_URL, temporary_settings

    monkeypatch.chdir(ROOT)
    with temporary_settings(restore_defaults={PREFECT_API_URL}):
        message = refused(2, "deploy", wave_file(tmp_path / "wave.yaml"))
    assert "prefect server start" in message


def test_elsewhere_it_says_where_to_give_the_command(
    refused: Refused, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert "at the root of the solverloop repository" in refused(2, "deploy")


def test_help_has_examples(here: Here) -> None:
    assert "--every" in here("deploy", "--help").stdout


@pytest.mark.parametrize(
    ("at_once", "ranks", "said"), [(2, 4, True), (None, 4, True), (1, 4, False), (9, 1, False)]
)
def test_ranks_that_outnumber_the_cores_are_told_of(
    at_once: int | None, ranks: int, *, said: bool
) -> None:
    solver = {"kind": "command", "command": ["x"], "quantities": {"drag": "N"}, "ranks": ranks}
    deployed = config(solver=solver, runner={"kind": "deployment"})
    found = list(crowding(deployed, at_once, cores=4))
    assert bool(found) == said
    assert all("of 4 ranks each, and this machine has 4 cores" in line for line in found)
    assert not list(crowding(config(solver=solver), at_once, cores=4))
