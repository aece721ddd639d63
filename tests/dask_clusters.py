"""Dask clusters for tests: a real scheduler and real worker processes, each a process of its own."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from campaign_examples import environment
from process_table import wait_until

DASK = [sys.executable, "-W", "ignore", "-m"]


@contextmanager
def process(arguments: list[str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command until the end of the context; its output goes to a file."""
    with log.open("ab") as output:
        started = subprocess.Popen(arguments, stdout=output, stderr=output, env=environment())
    try:
        yield started
    finally:
        started.terminate()
        try:
            started.wait(20)
        except subprocess.TimeoutExpired:
            started.kill()
            started.wait()


@contextmanager
def cluster(directory: Path, workers: int = 2) -> Iterator[str]:
    """Run a scheduler and its workers, and yield its address."""
    directory.mkdir(exist_ok=True)
    port_file = directory / "scheduler.json"
    scheduler = ["distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0"]
    quiet = ["--no-dashboard", "--scheduler-file", str(port_file)]
    with ExitStack() as stack:
        stack.enter_context(process([*DASK, *scheduler, *quiet], directory / "scheduler.log"))
        wait_until(port_file.exists, 60)
        address = address_in(port_file)
        for number in range(workers):
            stack.enter_context(worker(address, directory, number))
        yield address


def worker(address: str, directory: Path, number: int, resources: str = "cores=1") -> Any:
    """Return the context of one worker process with one thread; a nanny starts it again."""
    words = ["distributed.cli.dask_worker", address, "--nthreads", "1", "--no-dashboard"]
    more = ["--resources", resources, "--local-directory", str(directory / "scratch")]
    return process([*DASK, *words, *more], directory / f"worker-{number}.log")


def address_in(file: Path) -> str:
    """Return the address that a scheduler wrote."""
    import json

    return str(json.loads(file.read_text())["address"])


def ancestor(process_id: int, program: str) -> int:
    """Return the nearest process above this one whose command line holds a text."""
    while program not in command_line(process_id):
        process_id = int(Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()[1])
        assert process_id > 1, f"no {program} above"
    return process_id


def command_line(process_id: int) -> str:
    """Return the command line of a process."""
    return Path(f"/proc/{process_id}/cmdline").read_bytes().replace(b"\0", b" ").decode()


def end(process_id: int) -> None:
    """Kill a process as a machine that dies would."""
    os.kill(process_id, 9)
