"""How busy labelling keeps two Dask workers: solver seconds over (2 x wall), one-second solves.

The claim: at least 90 %. The cluster is there before the clock starts, as is Prefect's server. The
peer is the same function on the same workers, called by Dask alone, without Prefect.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

os.environ.setdefault("PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL", "CRITICAL")
os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")

from distributed import LocalCluster
from prefect import flow
from prefect.testing.utilities import prefect_test_harness

from phases.asked import initial_picks
from phases.campaign import Campaign
from phases.config import parse
from phases.design import design
from phases.label import records_of
from pools.pick import Pick
from tasks.dask_cluster import opened
from tasks.ended import How
from tasks.label import solve_all
from tasks.on_dask import Samples

WORKERS = 2


def main() -> None:
    """Print both shares."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=60, help="samples to label, each way")
    parser.add_argument("--full", action="store_true", help="200 samples")
    options = parser.parse_args()
    samples = 200 if options.full else options.samples
    with (
        tempfile.TemporaryDirectory() as directory,
        prefect_test_harness(120),
        LocalCluster(WORKERS, threads_per_worker=1, dashboard_address="127.0.0.1:0") as cluster,
    ):
        place, address = Path(directory), cluster.scheduler_address
        _with_prefect(_campaign(place / "warm", address, 2))  # the workers import what they need
        peer = _measure(_campaign(place / "dask", address, samples), _with_dask)
        ours = _measure(_campaign(place / "prefect", address, samples), _with_prefect)
    print(f"{samples} samples of one second, {WORKERS} Dask workers:")
    print(f"  Dask alone          {peer:6.1%} busy")
    print(f"  solverloop, Prefect {ours:6.1%} busy   (claim: at least 90 %)")


def _campaign(directory: Path, address: str, samples: int) -> Campaign:
    """Start a campaign whose initial design is so many samples, at least 2."""
    content = {
        "name": "busy",
        "parameters": {"length": {"low": 0, "high": 1}, "phase": {"low": 0, "high": 1}},
        "solver": {"kind": "analytic", "problem": "wave", "seconds": 1.0},
        "initial_samples": samples,
        "test_samples": 2,
        "runner": {
            "kind": "dask",
            "cluster": {"kind": "scheduler", "address": address, "at_once": 4},
        },
        "stopping": {"max_steps": 1},
    }
    campaign = Campaign.start(parse(content, "benchmark"), directory)
    design(campaign)
    return campaign


def _measure(campaign: Campaign, label: Callable[[Campaign], float]) -> float:
    """Return solver seconds over (workers x wall)."""
    wall = label(campaign)
    solved = records_of(campaign, initial_picks(campaign))
    return sum(record.seconds for record in solved) / (WORKERS * wall)


def _with_dask(campaign: Campaign) -> float:
    picks: Sequence[Pick] = initial_picks(campaign)
    started = time.perf_counter()
    with (
        opened(campaign, len(picks)) as cluster,
        ThreadPoolExecutor(cluster.at_once) as threads,
        Samples(campaign, How("design", retry_failed=False), cluster) as samples,
    ):
        list(threads.map(lambda pick: samples.solve(0, pick), picks))
        return time.perf_counter() - started


def _with_prefect(campaign: Campaign) -> float:
    @flow
    def labelling() -> float:
        started = time.perf_counter()
        solve_all(campaign, 0, initial_picks(campaign), where="design", retry_failed=False)
        return time.perf_counter() - started

    return labelling()


if __name__ == "__main__":
    main()
