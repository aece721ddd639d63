"""A person says to go on without the samples that failed."""

import json
from pathlib import Path

import pytest
from plain_campaigns import run, start

from phases.accepted import accept, unsolved
from phases.campaign import Campaign
from pools.errors import TooFewLabelsError


def failing(directory: Path, edge: float = 0.6) -> Campaign:
    """Start a campaign of which too few initial samples are solved."""
    solver = {"kind": "analytic", "problem": "wave", "fails_above": edge}
    campaign = start(directory, solver=solver, label={"min_success_fraction": 0.95})
    with pytest.raises(TooFewLabelsError):
        run(campaign)
    return campaign


def test_the_failed_samples_of_the_open_phase_are_unsolved(tmp_path: Path) -> None:
    records = unsolved(failing(tmp_path / "c"))
    assert records
    assert all(record.pick.sample.parameters["length"] > 0.6 for record in records)


def test_before_anything_was_asked_nothing_is_unsolved(tmp_path: Path) -> None:
    assert unsolved(start(tmp_path / "c")) == []


def test_accepted_failures_hold_the_design_up_no_longer(tmp_path: Path) -> None:
    campaign = failing(tmp_path / "c")
    accept(campaign, "a test")
    with pytest.raises(TooFewLabelsError, match="of step 0 were solved"):
        run(campaign)
    assert campaign.ledger.find(0, "label_design") is not None


def test_what_was_accepted_is_recorded_with_who_said_so(tmp_path: Path) -> None:
    campaign = failing(tmp_path / "c")
    without = [record.pick.sample.id for record in unsolved(campaign)]
    accept(campaign, "a test")
    said = json.loads((campaign.step_directory(0) / "label_design-accepted.json").read_text())
    assert (said["by"], said["without"]) == ("a test", without)


def test_without_any_solution_there_is_nothing_to_go_on_with(tmp_path: Path) -> None:
    campaign = failing(tmp_path / "c", edge=-1)
    accept(campaign, "a test")
    with pytest.raises(TooFewLabelsError, match="only 0 of"):
        run(campaign)
