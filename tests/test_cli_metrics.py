"""`solverloop metrics`."""

import signal
import socket
import subprocess
import urllib.request
from pathlib import Path

from campaign_examples import Here, Refused, command, environment


def test_once_prints_the_metrics(here: Here, finished_campaign: Path) -> None:
    ended = here("metrics", finished_campaign, "--once")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert (
        f'solverloop_step{{campaign="wave",directory="{finished_campaign}"}} 2.0' in ended.stdout
    )


def test_what_cannot_be_read_is_warned_of_and_told_as_unreadable(
    here: Here, tmp_path: Path
) -> None:
    ended = here("metrics", tmp_path / "later", "--once")
    assert ended.returncode == 0
    assert ended.stderr.startswith(f"warning: cannot read the campaign in {tmp_path / 'later'}")
    assert "solverloop_campaign_readable" in ended.stdout
    assert f'directory="{tmp_path / "later"}"}} 0.0' in ended.stdout


def test_a_port_that_is_taken_is_refused_with_the_way_out(
    refused: Refused, finished_campaign: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        message = refused(2, "metrics", finished_campaign, "--port", str(port))
    assert f"cannot listen on 127.0.0.1:{port}" in message
    assert "give another --port" in message


def test_it_serves_until_it_is_interrupted(finished_campaign: Path) -> None:
    arguments = command("metrics", finished_campaign, "--port", "0")
    with subprocess.Popen(
        arguments, env=environment(), stdout=subprocess.PIPE, text=True
    ) as served:
        assert served.stdout is not None
        address = served.stdout.readline().split()[3].rstrip(";")
        with urllib.request.urlopen(address) as answer:  # noqa: S310 - our own address
            assert b"solverloop_samples{" in answer.read()
        served.send_signal(signal.SIGINT)
        assert served.wait(10) == 0
    assert address.startswith("http://127.0.0.1:"), "other machines are let in only when asked"
