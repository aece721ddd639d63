"""A retry that is killed anywhere and given again ends as if it had never been killed."""

import shutil
import subprocess
from pathlib import Path

import pytest
from campaign_examples import command, environment, ledger_of, outcome_of, solved_attempts
from killed_inside import Place, run_killed
from plain_campaigns import run, start

from phases.campaign import Campaign
from phases.overview import failures

pytestmark = pytest.mark.slow

MENDED = ("--set", "fails_above=2.0")


def ran(api: str, *arguments: str | Path) -> str:
    ended = subprocess.run(
        command(*arguments), env=environment(api), capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run a campaign of one step, in which some samples of all kinds fail; to be copied."""
    directory = tmp_path_factory.mktemp("failing") / "wave"
    campaign = start(
        directory,
        solver={"kind": "analytic", "problem": "wave", "fails_above": 0.55},
        query=[{"kind": "sobol"}],
        label={"min_success_fraction": 0.1},
        stopping={"max_steps": 1},
    )
    run(campaign)
    return directory


@pytest.fixture(scope="module")
def uninterrupted(
    stopped: Path, prefect_api: str, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    directory = Path(shutil.copytree(stopped, tmp_path_factory.mktemp("whole") / "wave"))
    ran(prefect_api, "retry", directory, *MENDED)
    ran(prefect_api, "run", directory, "--set", "stopping.max_steps=2")
    return directory


@pytest.mark.parametrize(
    "place",
    [
        ("solvers.label", "publish_move", 2),  # solved, but not yet published
        ("phases.append", "write_shard", 1),  # all solved, nothing appended
        ("phases.append", "write_shard", 2),  # the pool's shard is there, the test set's is not
        ("pools.ledger", "asdict", 1),  # both are there, their line is not
        ("flows.retry", "report_campaign", 1),  # the line is there
    ],
)
@pytest.mark.parametrize("again", ["retry", "run"])
def test_killed_at_a_place(
    place: Place, again: str, stopped: Path, uninterrupted: Path, prefect_api: str, tmp_path: Path
) -> None:
    if again == "run" and place[0] == "solvers.label":
        pytest.skip("what was not solved would stay failed: that is for the retry to go on with")
    directory = Path(shutil.copytree(stopped, tmp_path / "wave"))
    run_killed(place, ["retry", str(directory), *MENDED], prefect_api)
    if again == "retry":
        ran(prefect_api, "retry", directory, *MENDED)
    ran(prefect_api, "run", directory, "--set", "stopping.max_steps=2")
    assert outcome_of(directory) == outcome_of(uninterrupted)
    assert set(solved_attempts(directory).values()) == {1}
    phases = [(line["step"], line["phase"]) for line in ledger_of(directory)]
    assert phases == [(line["step"], line["phase"]) for line in ledger_of(uninterrupted)]


def test_what_it_ends_with(uninterrupted: Path) -> None:
    campaign = Campaign.open(uninterrupted)
    asked = 6 + 4 + 4
    later = [r for r in failures(campaign) if r.step == 1 and r.pick.asked_by == "sobol"]
    assert failures(campaign) == later, "only the step after the retry failed again"
    with campaign.training_pool(2) as pool:
        assert len(set(pool.ids)) == len(pool.ids) == asked - len(later)
