"""What docs/upkeep.md promises of a directory; of the database, see test_services.py."""

import subprocess
from pathlib import Path

import prefect
import yaml
from campaign_examples import outcome_of, solved_attempts
from plain_campaigns import run, start

from phases.campaign import Campaign
from phases.check import check

MORE = {"max_steps": 3}  # of a campaign that ended after two


def copied(source: Path, target: Path) -> Path:
    """Copy a campaign as docs/upkeep.md says."""
    subprocess.run(["cp", "-a", source, target], check=True)
    return target


def test_a_copied_campaign_opens_and_is_whole(finished_campaign: Path, tmp_path: Path) -> None:
    backup = copied(finished_campaign, tmp_path / "backup")
    assert {found.state for found in check(Campaign.open(backup))} == {"intact"}


def test_a_copied_campaign_goes_on_as_the_other_does(
    campaign_copy: Path, finished_campaign: Path, tmp_path: Path
) -> None:
    backup = copied(finished_campaign, tmp_path / "backup")
    for directory in (campaign_copy, backup):
        run(start(directory, stopping=MORE))
    assert outcome_of(backup) == outcome_of(campaign_copy)
    assert set(solved_attempts(backup).values()) == {1}


def test_a_copy_that_was_made_in_mid_step_goes_on_to_the_same_end(
    campaign_copy: Path, finished_campaign: Path, tmp_path: Path
) -> None:
    """As a copy made while the campaign ran: the ledger first, then what it names."""
    ledger = campaign_copy / "ledger.jsonl"
    lines = ledger.read_text().splitlines(keepends=True)
    ledger.write_text("".join(lines[: len(lines) // 2]))
    backup = copied(campaign_copy, tmp_path / "backup")
    run(start(backup))
    assert outcome_of(backup) == outcome_of(finished_campaign)


def test_the_frozen_file_records_the_versions_that_began_the_campaign(
    finished_campaign: Path,
) -> None:
    created = yaml.safe_load((finished_campaign / "campaign.yaml").read_text())["created"]
    assert created["versions"]["prefect"] == prefect.__version__
