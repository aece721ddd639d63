"""From a person's Retry in the UI to the sample's solver: the claim is at most 30 s.

The server is the one of PREFECT_API_URL; the worker of the pool `solve` is started here, with
Prefect's own settings. A click of the UI asks the server for the state AwaitingRetry, and so does
this. The clock stops when the directory of the sample's next attempt is there: what solves it has
begun. The samples fail again, so that they can be retried again.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

os.environ.setdefault("PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL", "CRITICAL")

from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.objects import FlowRun
from prefect.states import AwaitingRetry
from tqdm import tqdm

from benchmarks.orchestration import WAVE
from flows.command_deploy import Wanted
from flows.deploying import deploy
from phases.asked import initial_picks
from phases.campaign import Campaign
from phases.config import parse
from phases.design import design

_DEPLOYMENT = "solve-sample/solve-sample"


def main() -> None:
    """Print the seconds from click to solver."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clicks", type=int, default=8, help="how many")
    parser.add_argument("--full", action="store_true", help="30 clicks")
    options = parser.parse_args()
    for line in deploy(None, None, Wanted(None, "process", None, {}, "")):
        print(f"  {line}")
    with tempfile.TemporaryDirectory() as place, worker(), get_client(sync_client=True) as client:
        campaign = _failing(Path(place) / "failing")
        run = _first(client, campaign)
        clicks = range(30 if options.full else options.clicks)
        seconds = [_click(client, run, campaign) for _ in tqdm(clicks, unit="click")]
    print(f"{len(seconds)} retries of one sample, {_DEPLOYMENT}, a process worker:")
    print(f"  click to solver, median  {statistics.median(seconds):6.1f} s")
    print(f"  click to solver, most    {max(seconds):6.1f} s   (claim: at most 30)")


@contextmanager
def worker() -> Iterator[None]:
    """Run a worker of the pool `solve`, as an operator starts it."""
    command = [sys.executable, "-m", "prefect", "worker", "start", "--pool", "solve"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        try:
            yield
        finally:
            process.kill()  # it works at nothing then


def _failing(directory: Path) -> Campaign:
    """Start a campaign whose samples all diverge."""
    solver = {**WAVE["solver"], "fails_above": -1}
    content = {**WAVE, "name": "failing", "solver": solver, "initial_samples": 2}
    campaign = Campaign.start(parse(content, "benchmark"), directory)
    design(campaign)
    return campaign


def _first(client: SyncPrefectClient, campaign: Campaign) -> FlowRun:
    """Let a sample fail for the first time, and return its run."""
    deployment = client.read_deployment_by_name(_DEPLOYMENT)
    sample = initial_picks(campaign)[0].sample.id
    parameters = {"directory": str(campaign.directory), "step": 0, "sample": sample}
    run = client.create_flow_run_from_deployment(deployment.id, parameters=parameters)
    _wait_until_failed(client, run)
    return run


def _click(client: SyncPrefectClient, run: FlowRun, campaign: Campaign) -> float:
    """Retry the run, and return the seconds until the next attempt begins."""
    attempts = campaign.sample_directory(initial_picks(campaign)[0].sample.id).attempts
    known, clicked = len(attempts()), time.perf_counter()
    client.set_flow_run_state(run.id, AwaitingRetry(), force=True)
    while len(attempts()) == known:
        time.sleep(0.02)
    seconds = time.perf_counter() - clicked
    _wait_until_failed(client, run)
    return seconds


def _wait_until_failed(client: SyncPrefectClient, run: FlowRun) -> None:
    while (state := client.read_flow_run(run.id).state) is None or not state.is_failed():
        time.sleep(0.2)


if __name__ == "__main__":
    main()
