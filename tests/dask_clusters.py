"""Dask clusters for tests: a scheduler and its workers, each a process of its own."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from campaign_examples import environment
from process_table import parent_of, wait_until

from solvers.lease import Lease

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
        wait_until(lambda: port_file.exists() and bool(port_file.read_text()), 60)
        address = address_in(port_file)
        for number in range(workers):
            stack.enter_context(worker(address, directory, number))
        logs = [directory / f"worker-{number}.log" for number in range(workers)]
        wait_until(lambda: all("Registered to" in log.read_text() for log in logs), 60)
        yield address


def worker(address: str, directory: Path, number: int, resources: str = "cores=1") -> Any:
    """Return the context of one worker process with one thread; a nanny starts it again."""
    words = ["distributed.cli.dask_worker", address, "--nthreads", "1", "--no-dashboard"]
    more = ["--resources", resources, "--local-directory", str(directory / "scratch")]
    return process([*DASK, *words, *more], directory / f"worker-{number}.log")


def address_in(file: Path) -> str:
    """Return the address that a scheduler wrote."""
    return str(json.loads(file.read_text())["address"])


def worker_of(attempts: Path) -> int:
    """Wait until some sample below a directory is being solved, and return its Dask worker.

    The solve is a child of its supervisor, and that of the worker.
    """
    wait_until(lambda: bool(_solves(attempts)), 60)
    return parent_of(parent_of(_solves(attempts)[0]))


def _solves(attempts: Path) -> list[int]:
    leases = [Lease.read(file.parent) for file in attempts.rglob("lease.json")]
    return [lease.pid for lease in leases if lease is not None and lease.is_held]
