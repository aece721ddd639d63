"""How busy labelling keeps two workers: solver seconds over (2 x wall), Prefect's start excluded.

The claim: at least 85 % with embedded solves of about half a second (the channel on its medium
mesh). The peer is `concurrent.futures` calling the same function without Prefect, in the same run.
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

from prefect import flow
from prefect.testing.utilities import prefect_test_harness

from phases.campaign import Campaign
from phases.config import load
from phases.label import label_sample, records_of
from pools.errors import SolverError
from pools.pick import Pick
from pools.sample import Sample
from solvers.workers import SolverWorkers
from tasks.label import solve_all

WORKERS = 2
ROOT = Path(__file__).parents[1]


def main() -> None:
    """Print both shares and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=40, help="samples to label, each way")
    parser.add_argument("--full", action="store_true", help="200 samples")
    options = parser.parse_args()
    samples = 200 if options.full else options.samples
    with tempfile.TemporaryDirectory() as directory, prefect_test_harness(120):
        peer = _measure(_campaign(Path(directory) / "futures"), samples, _with_futures)
        ours = _measure(_campaign(Path(directory) / "prefect"), samples, _with_prefect)
    print(f"{samples} channel samples, medium mesh, {WORKERS} workers:")
    print(f"  concurrent.futures  {peer:6.1%} busy")
    print(f"  solverloop, Prefect {ours:6.1%} busy   (claim: at least 85 %)")
    print(f"  ratio               {ours / peer:6.3f}")


def _campaign(directory: Path) -> Campaign:
    changes = ["solver.mesh=medium", f"label.workers={WORKERS}"]
    return Campaign.start(load(ROOT / "examples" / "channel.yaml", changes), directory)


def _measure(
    campaign: Campaign, samples: int, label: Callable[[Campaign, Sequence[Pick]], None]
) -> float:
    """Return solver seconds over (workers x wall)."""
    picks = picks_of(campaign, samples)
    wall = label(campaign, picks)
    return sum(record.seconds for record in records_of(campaign, picks)) / (WORKERS * wall)


def picks_of(campaign: Campaign, count: int) -> list[Pick]:
    """Return samples of a campaign's box."""
    space, fingerprint = campaign.config.parameters, campaign.solver.fingerprint
    rows = space.sobol(count, seed=5)
    return [Pick(sample, "benchmark") for sample in Sample.of_rows(rows, space.names, fingerprint)]


def _with_futures(campaign: Campaign, picks: Sequence[Pick]) -> float:
    def one(pick: Pick) -> None:
        try:
            label_sample(campaign, 0, pick, workers, retry_failed=False)
        except SolverError:
            return  # an outcome, and its seconds count

    started = time.perf_counter()
    with (
        SolverWorkers(campaign.config.solver, WORKERS) as workers,
        ThreadPoolExecutor(WORKERS) as executor,
    ):
        list(executor.map(one, picks))
    return time.perf_counter() - started


def _with_prefect(campaign: Campaign, picks: Sequence[Pick]) -> float:
    @flow
    def labelling() -> float:
        started = time.perf_counter()
        solve_all(campaign, 0, picks, retry_failed=False)
        return time.perf_counter() - started

    return labelling()


if __name__ == "__main__":
    main()
