"""The retry flow on a real Prefect server: names, states, artifacts."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from campaign_examples import WAVE, solved_attempts
from flow_runs import read_artifacts, settled, solves

from flows.campaign import run_campaign
from flows.retry import retry_failed_samples
from phases.campaign import Campaign
from phases.config import CampaignConfig
from phases.overview import all_records, failures
from pools.errors import CampaignError, TooFewLabelsError, UsageError
from pools.outcome import Outcome

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("prefect_api")]


@pytest.fixture(autouse=True)
def _importable(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("PYTHONPATH", f"{Path.cwd()}:{Path(__file__).parent}")
    return


@pytest.fixture
def switch(tmp_path: Path) -> Path:
    """Return the file that makes the solver fail while it is there."""
    file = tmp_path / "switch"
    file.touch()
    return file


@pytest.fixture
def campaign(tmp_path: Path, switch: Path) -> Campaign:
    """Run a campaign of one step, of which some samples fail."""
    options = {"edge": 0.4, "switch": str(switch)}
    solver = {"kind": "custom", "factory": "flaky_solver:Flaky", "options": options}
    content = {
        **WAVE,
        "name": "flaky",
        "parameters": {"x": {"low": 0, "high": 1}},
        "solver": solver,
        "query": [{"kind": "sobol"}],
        "label": {"workers": 2, "min_success_fraction": 0.1},
        "stopping": {"max_steps": 1},
    }
    run_campaign(CampaignConfig.model_validate(content), tmp_path / "flaky")
    return Campaign.open(tmp_path / "flaky")


def retry(campaign: Campaign, **arguments: Any) -> Any:
    """Retry and return the flow run's final state."""
    return retry_failed_samples(campaign.directory, **arguments, return_state=True)


def test_exactly_the_failed_ones_are_solved(campaign: Campaign, switch: Path) -> None:
    failed = failures(campaign)
    switch.unlink()
    state = retry(campaign)
    assert state.is_completed()
    assert state.message == state.result() == f"{len(failed)} of {len(failed)} solved"
    flow_runs, task_runs = settled(state, len(failed))
    assert [flow_run.name for flow_run in flow_runs] == ["flaky-retry"]
    names = {task_run.name for task_run in task_runs if task_run.name.startswith("solve-")}
    assert names == {f"solve-{record.pick.sample.id}" for record in failed}
    assert solves(task_runs) == {"Completed": len(failed)}, "nothing from Prefect's cache"
    assert failures(campaign) == []
    assert set(solved_attempts(campaign.directory).values()) == {1}
    artifacts = read_artifacts()
    rows = json.loads(artifacts["flaky-retry-samples"])
    assert [row["outcome"] for row in rows] == ["ok"] * len(failed)
    design, step = (json.loads(artifacts[f"flaky-{x}-samples"]) for x in ("design", "step000"))
    assert [row["outcome"] for row in (*design, *step)] == ["ok"] * (6 + 8 + 4)
    assert len(all_records(campaign)) == 6 + 8 + 4


def test_what_fails_again_fails_the_run_and_says_so(campaign: Campaign) -> None:
    failed = failures(campaign)
    state = retry(campaign)
    assert state.is_failed()
    assert f"0 of {len(failed)} solved: {len(failed)} diverged" in state.message
    with pytest.raises(TooFewLabelsError):
        state.result()
    assert [len(record.attempts) for record in failures(campaign)] == [2] * len(failed)


def test_a_mistake_is_said_before_anything_is_tried(campaign: Campaign) -> None:
    before = failures(campaign)
    state = retry(campaign, ids=["nonsense"])
    assert state.is_failed()
    with pytest.raises(UsageError):
        state.result()
    assert retry(campaign, outcomes=[Outcome.MESH]).message.startswith("nothing to retry")
    assert failures(campaign) == before


def test_a_campaign_that_runs_is_left_alone(campaign: Campaign) -> None:
    with campaign.exclusive():
        state = retry(campaign)
    with pytest.raises(CampaignError, match="another process is running the campaign"):
        state.result()
