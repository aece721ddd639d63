"""One Prefect server for the whole session, in a process of its own."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

os.environ["PREFECT_SERVER_ANALYTICS_ENABLED"] = "false"
os.environ["DO_NOT_TRACK"] = "1"
os.environ["PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL"] = "CRITICAL"
os.environ.setdefault("OMP_NUM_THREADS", "1")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what needs OpenFOAM where it is not there."""
    if item.get_closest_marker("openfoam") and shutil.which("foamDictionary") is None:
        pytest.skip("OpenFOAM is not installed: apt-get install openfoam openmpi-bin")


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
