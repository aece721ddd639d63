"""What Prefect adds to each sample: wall time over the same samples without it, and memory.

The claims, on a server with PostgreSQL: at most 60 ms of wall time and 100 KiB of the flow
process's memory a sample. The server is the one of PREFECT_API_URL, else a temporary one with
SQLite. The solver is a closed form, which takes no time itself.
"""

import argparse
import os
import resource
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

os.environ.setdefault("PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL", "CRITICAL")
os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")

from prefect import flow

from benchmarks.labelling import picks_of
from phases.campaign import Campaign
from phases.campaign_phases import solve_plainly
from phases.config import parse
from pools.pick import Pick
from tasks.label import solve_all

WAVE = {
    "parameters": {"length": {"low": 0, "high": 1}, "phase": {"low": 0, "high": 1}},
    "solver": {"kind": "analytic", "problem": "wave"},
    "stopping": {"max_steps": 1},
}


def main() -> None:
    """Print seconds and memory a sample, with and without Prefect."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=200, help="samples, each way")
    parser.add_argument("--full", action="store_true", help="2000 samples")
    options = parser.parse_args()
    samples = 2000 if options.full else options.samples
    with tempfile.TemporaryDirectory() as directory:
        _labelled(Path(directory) / "first", 20, _with_prefect)  # what is loaded once
        plain, _ = _labelled(Path(directory) / "plain", samples, _without)
        ours, grown = _labelled(Path(directory) / "prefect", samples, _with_prefect)
    print(f"{samples} samples of a closed form, 2 at once:")
    print(f"  without Prefect  {1e3 * plain / samples:7.1f} ms a sample")
    print(f"  with Prefect     {1e3 * ours / samples:7.1f} ms a sample")
    print(f"  Prefect adds     {1e3 * (ours - plain) / samples:7.1f} ms   (claim: at most 60)")
    print(f"  memory grew by   {grown / samples:7.1f} KiB a sample   (claim: at most 100)")


def _labelled(
    directory: Path, samples: int, label: Callable[[Campaign, Sequence[Pick]], None]
) -> tuple[float, float]:
    """Label samples of a new campaign; return seconds and the KiB that this process grew by."""
    campaign = Campaign.start(parse({**WAVE, "name": directory.name}, "benchmark"), directory)
    picks, before = picks_of(campaign, samples), _resident()
    started = time.perf_counter()
    label(campaign, picks)
    return time.perf_counter() - started, _resident() - before


def _without(campaign: Campaign, picks: Sequence[Pick]) -> None:
    solve_plainly(campaign, 0, picks)


def _with_prefect(campaign: Campaign, picks: Sequence[Pick]) -> None:
    @flow
    def labelling() -> None:
        solve_all(campaign, 0, picks, retry_failed=False)

    labelling()


def _resident() -> float:
    """Return the most memory that this process has had, in KiB."""
    return float(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


if __name__ == "__main__":
    main()
