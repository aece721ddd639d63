"""Ctrl-C in a terminal, which sends SIGINT to the whole group, the temporary server included."""

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
from campaign_examples import command, environment, wave_file
from process_table import processes_in, wait_until

pytestmark = pytest.mark.slow


def test_an_interrupt_of_the_group_ends_at_once(tmp_path: Path) -> None:
    without_server = {k: v for k, v in environment().items() if k != "PREFECT_API_URL"}
    home = {"PREFECT_HOME": str(tmp_path / "prefect")}
    file = wave_file(tmp_path / "wave.yaml")
    slow = ["--set", "solver.seconds=100"]
    process = subprocess.Popen(
        command("run", file, "--directory", tmp_path / "wave", *slow),
        env={**without_server, **home},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    while len(list(tmp_path.glob("wave/samples/*/attempt-01/log.txt"))) < 2:
        assert process.poll() is None
        time.sleep(0.05)
    started = time.monotonic()
    os.killpg(process.pid, signal.SIGINT)
    output, _ = process.communicate(timeout=60)
    assert time.monotonic() - started < 30
    assert process.returncode == 130
    assert "run the same command again to go on" in output
    wait_until(lambda: not processes_in(tmp_path), seconds=5)
