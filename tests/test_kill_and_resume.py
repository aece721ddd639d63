"""Killed anywhere and run again, a campaign ends as if it had never been killed."""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from campaign_examples import (
    command,
    environment,
    ledger_of,
    outcome_of,
    solved_attempts,
    wave_file,
)
from killed_inside import Place, run_killed

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def campaign_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return wave_file(tmp_path_factory.mktemp("campaign") / "wave.yaml")


@pytest.fixture(scope="module")
def uninterrupted(
    campaign_file: Path, prefect_api: str, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    directory = tmp_path_factory.mktemp("uninterrupted") / "wave"
    run(campaign_file, directory, prefect_api)
    return directory


def run(campaign_file: Path, directory: Path, api: str) -> None:
    arguments = command("run", campaign_file, "--directory", directory)
    ended = subprocess.run(
        arguments, env=environment(api), capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr


def compare(killed: Path, uninterrupted: Path) -> None:
    assert outcome_of(killed) == outcome_of(uninterrupted)
    assert set(solved_attempts(killed).values()) == {1}
    phases = [(line["step"], line["phase"]) for line in ledger_of(killed)]
    assert phases == [(line["step"], line["phase"]) for line in ledger_of(uninterrupted)]


@pytest.mark.parametrize(
    "place",
    [
        ("phases.train", "save", 2),  # in train: the network is trained, nothing is written
        ("surrogates.checkpoint", "publish_manifest", 2),  # tensors written, no manifest
        ("phases.append", "write_shard", 3),  # in append, before the shard
        ("pools.files", "_fsync", 60),  # somewhere in the middle of writing a file
        ("pools.ledger", "asdict", 8),  # in append: the shard is there, its line is not
    ],
)
def test_killed_at_a_place(
    place: Place,
    campaign_file: Path,
    uninterrupted: Path,
    prefect_api: str,
    tmp_path: Path,
) -> None:
    directory = tmp_path / "wave"
    arguments = ["run", str(campaign_file), "--directory", str(directory)]
    run_killed(place, arguments, prefect_api)
    run(campaign_file, directory, prefect_api)
    compare(directory, uninterrupted)


def test_killed_while_labelling(
    campaign_file: Path, uninterrupted: Path, prefect_api: str, tmp_path: Path
) -> None:
    """The whole tree is killed while solvers of step 1 run; slow ones, so that they do."""
    directory = tmp_path / "wave"
    slow = ["--set", "solver.seconds=1.0", "--set", "stopping.max_steps=1"]
    arguments = command("run", campaign_file, "--directory", directory, *slow)
    process = subprocess.Popen(
        arguments,
        env=environment(prefect_api),
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    wait_for(process, lambda: any_solved_in_step(directory, 0))
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    half = sum(solved_attempts(directory).values())
    again = [*arguments[:-2], "--set", "stopping.max_steps=1"]
    ended = subprocess.run(
        again, env=environment(prefect_api), capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert set(solved_attempts(directory).values()) == {1}
    assert 0 < half < len(solved_attempts(directory))
    first = uninterrupted / "pool" / "step-000.h5"
    assert (directory / "pool" / "step-000.h5").read_bytes() == first.read_bytes()


@pytest.mark.parametrize("seconds", [0.6, 1.9, 3.1])
def test_killed_at_some_instant(
    seconds: float, campaign_file: Path, uninterrupted: Path, prefect_api: str, tmp_path: Path
) -> None:
    directory = tmp_path / "wave"
    for _ in range(2):
        process = subprocess.Popen(
            command("run", campaign_file, "--directory", directory),
            env=environment(prefect_api),
            start_new_session=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_for(process, (directory / "campaign.yaml").exists)
        time.sleep(seconds)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    run(campaign_file, directory, prefect_api)
    compare(directory, uninterrupted)


def any_solved_in_step(directory: Path, step: int) -> bool:
    """Whether the label phase of a step has begun to bear fruit."""
    selection = directory / "steps" / f"{step:03d}" / "selection.json"
    if not selection.exists():
        return False
    queried = sum(line["phase"] == "query" for line in ledger_of(directory))
    solutions = len(list(directory.glob("samples/*/solution.vtkhdf")))
    return queried == step + 1 and solutions > 14  # of the design


def wait_for(process: subprocess.Popen[bytes], condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while not condition():
        assert process.poll() is None, "it ended before"
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)
