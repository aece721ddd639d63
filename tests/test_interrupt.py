"""Ctrl-C in a terminal, which sends SIGINT to the whole group, the temporary server included."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from campaign_examples import command, environment, wave_file
from process_table import children_of, processes_in, wait_until
from rich.console import Console

from flows.interrupt import interruptible


@pytest.fixture
def running(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A run without an API URL, so that it starts the temporary server."""
    without_server = {k: v for k, v in environment().items() if k != "PREFECT_API_URL"}
    home = {"PREFECT_HOME": str(tmp_path / "prefect")}
    file = wave_file(tmp_path / "wave.yaml")
    slow = ["--set", "solver.seconds=100"]
    process = subprocess.Popen(
        command("run", file, "--directory", tmp_path / "wave", *slow),
        env={**without_server, **home},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    yield process
    process.kill()
    process.communicate()


@pytest.mark.slow
def test_an_interrupt_of_the_group_ends_at_once(
    running: subprocess.Popen[str], tmp_path: Path
) -> None:
    _wait_for_solves(running, tmp_path)
    started = time.monotonic()
    os.killpg(running.pid, signal.SIGINT)
    output, _ = running.communicate(timeout=60)
    assert time.monotonic() - started < 30
    assert running.returncode == 130
    assert "run the same command again to go on" in output
    wait_until(lambda: not processes_in(tmp_path), seconds=5)


@pytest.mark.slow
def test_an_interrupt_while_the_server_starts_ends_in_a_line(
    running: subprocess.Popen[str],
) -> None:
    wait_until(lambda: bool(_servers_of(running)))
    [server] = _servers_of(running)
    os.killpg(running.pid, signal.SIGINT)
    output, _ = running.communicate(timeout=60)
    assert running.returncode == 130
    assert output == "interrupted: run the same command again to go on, nothing is lost\n"
    wait_until(lambda: not _is_server(server))


@pytest.mark.slow
def test_the_server_ends_with_a_run_that_is_killed(
    running: subprocess.Popen[str], tmp_path: Path
) -> None:
    _wait_for_solves(running, tmp_path)
    [server] = _servers_of(running)
    running.kill()
    running.communicate(timeout=20)  # whoever reads the run's output sees its end
    wait_until(lambda: not _is_server(server))


def test_what_an_interrupt_led_to_is_one_as_well(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as ended, interruptible(Console()):
        _fail_behind(KeyboardInterrupt())
    assert ended.value.exit_code == 130
    assert capfd.readouterr().out.startswith("interrupted: ")


def test_other_errors_are_no_interrupt() -> None:
    with pytest.raises(ConnectionError), interruptible(Console()):
        _fail_behind(ValueError())


def _fail_behind(first: BaseException) -> None:
    """Raise what a library raises as it cleans up, and once more in another's words."""
    try:
        try:
            raise first
        finally:
            raise OSError("nothing answers")
    except OSError as error:
        raise ConnectionError("the server is gone") from error


def _wait_for_solves(running: subprocess.Popen[str], directory: Path) -> None:
    while len(list(directory.glob("wave/samples/*/attempt-01/log.txt"))) < 2:
        assert running.poll() is None
        time.sleep(0.05)


def _servers_of(running: subprocess.Popen[str]) -> list[int]:
    return [child for child in children_of(running.pid) if _is_server(child)]


def _is_server(process: int) -> bool:
    try:
        return b"uvicorn" in Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:
        return False
