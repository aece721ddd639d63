"""A retry that is killed anywhere and given again ends as if it had never been killed."""

import shutil
import subprocess
from pathlib import Path

import pytest
from campaign_examples import command, environment, ledger_of, outcome_of, solved_attempts
from killed_inside import Place, run_killed
from plain_campaigns import stopped_in_part

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
    return stopped_in_part(tmp_path_factory.mktemp("failing") / "wave")


@pytest.fixture(scope="module")
def retried(stopped: Path, prefect_api: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Retry all that failed, without being killed; to be copied."""
    directory = Path(shutil.copytree(stopped, tmp_path_factory.mktemp("retried") / "wave"))
    ran(prefect_api, "retry", directory, *MENDED)
    return directory


def compare(killed: Path, whole: Path) -> None:
    assert outcome_of(killed) == outcome_of(whole)
    assert solved_attempts(killed) == solved_attempts(whole)
    phases = [(line["step"], line["phase"]) for line in ledger_of(killed)]
    assert phases == [(line["step"], line["phase"]) for line in ledger_of(whole)]


@pytest.mark.parametrize(
    "place",
    [
        ("solvers.label", "publish_move", 2),  # solved, but not yet published
        ("phases.append", "write_shard", 1),  # all solved, nothing appended
        ("pools.ledger", "asdict", 1),  # the shards are there, their line is not
        ("flows.retry", "report_campaign", 1),  # the line is there
    ],
)
def test_the_same_command_again_ends_the_same(
    place: Place, stopped: Path, retried: Path, prefect_api: str, tmp_path: Path
) -> None:
    directory = Path(shutil.copytree(stopped, tmp_path / "wave"))
    run_killed(place, ["retry", str(directory), *MENDED], prefect_api)
    ran(prefect_api, "retry", directory, *MENDED)
    compare(directory, retried)
    assert failures(Campaign.open(directory)) == []


def test_the_campaign_goes_on_with_what_a_killed_retry_solved(
    stopped: Path, retried: Path, prefect_api: str, tmp_path: Path
) -> None:
    """Killed when the pool's shard was there and the test set's was not."""
    killed = Path(shutil.copytree(stopped, tmp_path / "killed" / "wave"))
    whole = Path(shutil.copytree(retried, tmp_path / "whole" / "wave"))
    place = ("phases.append", "write_shard", 2)
    run_killed(place, ["retry", str(killed), *MENDED], prefect_api)
    for directory in (killed, whole):
        ran(prefect_api, "run", directory, "--set", "stopping.max_steps=2")
    compare(killed, whole)
    campaign = Campaign.open(killed)
    later = [r for r in failures(campaign) if r.step == 1 and r.pick.asked_by == "sobol"]
    assert failures(campaign) == later, "only those that the step after the retry asked for"
    with campaign.training_pool(2) as pool:
        assert len(set(pool.ids)) == len(pool.ids) == 6 + 4 + 4 - len(later)
