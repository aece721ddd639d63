"""One Prefect server for the whole session, in a process of its own."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from campaign_examples import Here, Refused, message_of
from services import PrefectServices, missing_services, prefect_services_running
from slurm_node import missing

if TYPE_CHECKING:
    from operating import Operator

os.environ["PREFECT_SERVER_ANALYTICS_ENABLED"] = "false"
os.environ["DO_NOT_TRACK"] = "1"
os.environ["PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL"] = "CRITICAL"
os.environ.setdefault("OMP_NUM_THREADS", "1")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what needs OpenFOAM, Slurm or Prefect's services where they are not there."""
    if item.get_closest_marker("openfoam") and shutil.which("foamDictionary") is None:
        pytest.skip("OpenFOAM is not installed: apt-get install openfoam openmpi-bin")
    if item.get_closest_marker("slurm") and (absent := missing()):
        pytest.skip(f"Slurm's {', '.join(absent)} are not installed: apt-get install slurm-wlm")
    if item.get_closest_marker("services") and (absent := missing_services()):
        packages = "postgresql redis-server chromium"
        pytest.skip(f"{', '.join(absent)} are not installed: apt-get install {packages}")


@pytest.fixture(scope="session")
def prefect_api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run a Prefect server with a database of its own, and return its address."""
    from prefect.settings import PREFECT_API_URL, PREFECT_HOME, temporary_settings
    from prefect.testing.utilities import prefect_test_harness

    home: Path = tmp_path_factory.mktemp("prefect-home")
    with (
        temporary_settings({PREFECT_HOME: home}),
        prefect_test_harness(server_startup_timeout=120),
    ):
        yield PREFECT_API_URL.value()


@pytest.fixture(scope="session")
def finished_campaign(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run one quick campaign of two steps to its end; to be copied, never changed."""
    from plain_campaigns import run, start

    directory = tmp_path_factory.mktemp("finished") / "wave"
    run(start(directory))
    return directory


@pytest.fixture
def campaign_copy(finished_campaign: Path, tmp_path: Path) -> Path:
    """Return a copy of the finished campaign to do anything to."""
    return Path(shutil.copytree(finished_campaign, tmp_path / "wave"))


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Here:
    """Return a function that runs the command in this process, which takes no seconds to start."""
    from flows.cli import main

    monkeypatch.setattr("flows.cli._prepare_environment", lambda **_: None)
    monkeypatch.delenv("COLUMNS", raising=False)  # pytest's own, where it runs several workers

    def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
        monkeypatch.setattr("sys.argv", ["solverloop", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        assert isinstance(ended.value.code, int)
        return subprocess.CompletedProcess([], ended.value.code, *capsys.readouterr())

    return run


@pytest.fixture
def refused(here: Here) -> Refused:
    """Return a function that gives the message of a command that ends with a code."""
    return lambda code, *arguments: message_of(here(*arguments), code)


@pytest.fixture(scope="session")
def prefect_services() -> Iterator[PrefectServices]:
    """Run Prefect with PostgreSQL and Redis, as docker/compose.yaml says, for the session."""
    with prefect_services_running() as running:
        yield running


@pytest.fixture(scope="module")
def operator(
    prefect_services: PrefectServices, tmp_path_factory: pytest.TempPathFactory
) -> "Iterator[Operator]":
    """Return somebody who has a server, a worker of each work pool, and a place for campaigns."""
    from operating import Operator
    from prefect.client.orchestration import get_client

    place = tmp_path_factory.mktemp("campaigns")
    with (
        prefect_services.connected(),
        get_client(sync_client=True) as client,
        prefect_services.worker("train") as train,
        prefect_services.worker("solve") as solve,
    ):
        yield Operator(prefect_services, client, place, train, solve)
