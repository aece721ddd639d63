"""A disk that is full: a message, and once there is space the same command goes on."""

import subprocess
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest
import yaml
from campaign_examples import command, environment, outcome_of, solved_attempts
from plain_campaigns import QUICK, run, start
from small_disk import mount, mounted

from phases.campaign import Campaign
from pools.errors import SolverloopError
from pools.sample import Sample
from solvers.request import Request
from solvers.settings import AnalyticSettings
from solvers.workers import Supervisor


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Return a file system of 64 kB."""
    with mounted(tmp_path / "disk", "64k") as directory:
        yield directory


@pytest.mark.parametrize("kilobytes", [64, 200, 450])
def test_once_there_is_space_nothing_is_solved_twice(
    small_disk: Path, kilobytes: int, finished_campaign: Path
) -> None:
    """The disk is full early, while labelling, or later on."""
    mount(small_disk, f"remount,size={kilobytes}k")
    campaign = start(small_disk / "wave", label={"min_success_fraction": 1})
    with pytest.raises(SolverloopError) as caught:
        run(campaign)
    assert "space" in str(caught.value) or "solverloop retry" in str(caught.value)
    solved = {name for name, count in solved_attempts(campaign.directory).items() if count}
    mount(small_disk, "remount,size=64m")
    run(Campaign.open(small_disk / "wave"))
    assert outcome_of(small_disk / "wave") == outcome_of(finished_campaign)
    again = solved_attempts(small_disk / "wave")
    assert set(again.values()) == {1}
    assert solved <= set(again)


def test_a_solve_that_cannot_write_a_byte_says_so_in_a_line(
    small_disk: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    attempt = small_disk / "attempt"
    attempt.mkdir()
    with suppress(OSError):
        (small_disk / "filled").write_bytes(bytes(1 << 20))
    asked = Request(Sample.of({"length": 0.5, "phase": 0.5}, "any"), attempt, 60, 1)
    with closing(Supervisor(AnalyticSettings(problem="wave"))) as supervisor:
        ended = supervisor.run(asked)
    assert ended.exit_code == 1
    said = capfd.readouterr().err
    assert f"cannot write {attempt}: No space left on device" in said
    assert "Traceback" not in said


@pytest.mark.slow
def test_the_command_says_so_and_goes_on_afterwards(
    small_disk: Path, prefect_api: str, tmp_path: Path, finished_campaign: Path
) -> None:
    file = tmp_path / "wave.yaml"
    file.write_text(yaml.safe_dump({**QUICK, "label": {"min_success_fraction": 1, "retries": 0}}))
    mount(small_disk, "remount,size=300k")
    arguments = command("run", file, "--directory", small_disk / "wave")

    def ran() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            arguments, env=environment(prefect_api), capture_output=True, text=True, check=False
        )

    full = ran()
    assert full.returncode == 1
    assert "error: " in full.stderr
    assert "Traceback" not in full.stderr
    mount(small_disk, "remount,size=64m")
    ended = ran()
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert outcome_of(small_disk / "wave") == outcome_of(finished_campaign)
    assert set(solved_attempts(small_disk / "wave").values()) == {1}
