"""The numbers of a campaign, read from outside: equal to what the campaign itself says."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from plain_campaigns import prepare, solve, start, stopped_in_part

from phases.asked import initial_picks
from phases.campaign import Campaign
from phases.design import design
from phases.overview import all_records, steps_of
from phases.vitals import vitals_of
from pools.errors import IntegrityError
from pools.outcome import Outcome
from reports.exposition import exposition
from reports.standing import standing


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return stopped_in_part(tmp_path_factory.mktemp("vitals") / "wave")


def test_they_agree_with_what_the_campaign_says(stopped: Path) -> None:
    campaign, vitals = Campaign.open(stopped), vitals_of(stopped)
    records, stands = all_records(campaign), standing(campaign)
    assert vitals.name == "wave"
    assert vitals.outcomes[Outcome.OK] == stands.labelled + stands.tested
    assert sum(vitals.outcomes.values()) == len(records)
    assert vitals.attempts == sum(len(record.attempts) for record in records)
    assert vitals.solver_seconds == pytest.approx(stands.solver_seconds, abs=0.01)
    assert vitals.labelled == {"pool": stands.labelled, "test": stands.tested}
    assert vitals.failed_ratio == pytest.approx(len(stands.failures) / len(records))
    assert (vitals.step, vitals.error) == (1, steps_of(campaign)[-1].error)
    assert (vitals.waiting, vitals.stopped) == (0, True)


def test_samples_of_a_label_phase_that_runs_are_counted_as_they_end(tmp_path: Path) -> None:
    campaign = start(tmp_path / "wave")
    design(campaign)
    assert vitals_of(campaign.directory).waiting == 6 + 8
    solve(campaign, 0, initial_picks(campaign)[:2])
    vitals = vitals_of(campaign.directory)
    assert (vitals.waiting, vitals.outcomes, vitals.attempts) == (12, {Outcome.OK: 2}, 2)
    prepare(campaign)
    vitals = vitals_of(campaign.directory)
    assert (vitals.waiting, vitals.labelled) == (0, {"pool": 6, "test": 8})
    assert (vitals.step, vitals.error, vitals.stopped) == (-1, None, False)


def test_a_campaign_that_has_only_begun_has_numbers(tmp_path: Path) -> None:
    vitals = vitals_of(start(tmp_path / "wave").directory)
    assert (vitals.outcomes, vitals.waiting, vitals.last_entry) == ({}, 0, 0.0)


def cut(file: Path) -> None:
    """Cut a file in the middle."""
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


DAMAGE: dict[str, Callable[[Path], None]] = {
    "no such directory": shutil.rmtree,
    "no campaign file": lambda d: (d / "campaign.yaml").unlink(),
    "a cut campaign file": lambda d: cut(d / "campaign.yaml"),
    "a ledger of something else": lambda d: (d / "ledger.jsonl").write_text('{"step": 1}\n'),
    "no stopping file of sense": lambda d: cut(d / "steps/001/stopping.json"),
    "a phase that says nothing": lambda d: (d / "ledger.jsonl").write_text(
        json.dumps({"step": 0, "phase": "label", "seed": 1}) + "\n"
    ),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_campaign_is_unreadable_and_the_others_are_told(
    stopped: Path, tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    damaged = Path(shutil.copytree(stopped, tmp_path / "damaged"))
    damage(damaged)
    with pytest.raises(IntegrityError, match="damaged"):
        vitals_of(damaged)
    lines = exposition([damaged, stopped]).splitlines()
    readable = [line for line in lines if line.startswith("solverloop_campaign_readable{")]
    assert [line.rpartition(" ")[2] for line in readable] == ["0.0", "1.0"]
    assert not any(str(damaged) in line for line in lines if line not in readable)


def test_a_line_that_is_being_written_is_as_if_it_were_not_there(
    stopped: Path, tmp_path: Path
) -> None:
    directory = Path(shutil.copytree(stopped, tmp_path / "wave"))
    with (directory / "ledger.jsonl").open("a") as ledger:
        ledger.write('{"step": 2, "pha')
    assert vitals_of(directory) == vitals_of(stopped)


def test_the_metrics_follow_the_conventions_of_prometheus(stopped: Path) -> None:
    text = exposition([stopped, stopped])  # twice is once
    labels = f'campaign="wave",directory="{stopped}"'
    vitals = vitals_of(stopped)
    assert f'solverloop_samples{{{labels},outcome="ok"}} {vitals.outcomes[Outcome.OK]:.1f}' in text
    assert f'solverloop_samples{{{labels},outcome="timeout"}} 0.0' in text
    assert f"solverloop_attempts_total{{{labels}}} {vitals.attempts:.1f}" in text
    assert "# TYPE solverloop_attempts_total counter" in text
    assert "# TYPE solverloop_error_ratio gauge" in text
    assert text.count('solverloop_error_ratio{campaign="wave"') == len(vitals.errors) > 0
    assert text.count("solverloop_campaign_readable{") == 1


def test_the_exporter_loads_no_torch(stopped: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from reports.exposition import exposition;"
        "exposition([Path(sys.argv[1])]); print('torch' in sys.modules)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script, str(stopped)], capture_output=True, text=True, check=True
    )
    assert ran.stdout == "False\n"
