"""The disk of Prefect's database is full in mid-step: that is said, and space is waited for."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from campaign_examples import command, solved_attempts, wave_file
from operating import until
from prefect.client.orchestration import get_client
from services import ROOT, PrefectServices, place_for_services, running_in
from small_disk import mounted

pytestmark = [pytest.mark.slow, pytest.mark.services]


@pytest.fixture
def small() -> Iterator[tuple[PrefectServices, Path]]:
    """Run the services with a database on a small disk, and return that disk too."""
    with place_for_services() as place, mounted(place / "database", "160m") as disk:
        disk.chmod(0o755)
        with running_in(place) as services:
            yield services, disk


def test_a_campaign_waits_for_space_says_so_and_goes_on(
    small: tuple[PrefectServices, Path], tmp_path: Path
) -> None:
    services, disk = small
    directory, output = tmp_path / "wave", tmp_path / "output"
    solver = {"kind": "analytic", "problem": "wave", "seconds": 1}
    file = wave_file(tmp_path / "wave.yaml", solver=solver, stopping={"max_steps": 1})
    with (
        output.open("w") as said,
        subprocess.Popen(
            command("run", file, "--directory", directory),
            env=services.environment,
            cwd=ROOT,
            stdout=said,
            stderr=subprocess.STDOUT,
        ) as running,
    ):
        until(lambda: sum(solved_attempts(directory).values()) >= 2, output.read_text)
        subprocess.run(["sh", "-c", f"cat /dev/zero 2>&1 > {disk}/filler"], check=False)
        until(lambda: "answers with the error 50" in output.read_text(), output.read_text)
        assert running.poll() is None
        (disk / "filler").unlink()
    assert running.returncode == 0, output.read_text()
    assert set(solved_attempts(directory).values()) == {1}
    with services.connected(), get_client(sync_client=True) as client:
        runs = client.read_flow_runs()
    assert {run.state_name for run in runs} == {"Completed"}
