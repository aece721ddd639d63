"""Memory of a campaign, step after step: it should not grow beyond the model and the batch.

Runs the phases of a campaign as plain functions, in one process and without Prefect, on the closed
form `shock` with a small network, and reads the resident memory after each step.
"""

import argparse
import gc
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import track

from phases.campaign import Campaign
from phases.campaign_driver import CampaignDriver
from phases.config import parse

WARM = 10  # steps after which imports, thread pools and the allocator have settled
KIB = 1024


@dataclass(frozen=True, slots=True)
class Memory:
    """What the kernel says of this process, in bytes.

    Attributes:
        resident: memory in use.
        private: the part of it that is no file: Python's, numpy's and torch's own.
        peak: most that was ever resident; mapped shards count while they are read.
    """

    resident: int
    private: int
    peak: int

    @classmethod
    def now(cls) -> "Memory":
        """Read /proc/self/status after a collection."""
        gc.collect()
        lines = Path("/proc/self/status").read_text().splitlines()
        status = dict(line.split(":", 1) for line in lines)
        names = ("VmRSS", "RssAnon", "VmHWM")
        return cls(*(int(status[name].split()[0]) * KIB for name in names))


def main() -> None:
    """Print what a step adds to memory and to the pool, and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=30, help="turns of the loop (default 30)")
    parser.add_argument("--full", action="store_true", help="100 steps")
    options = parser.parse_args()
    steps = max(100 if options.full else options.steps, WARM + 2)
    with tempfile.TemporaryDirectory() as directory:
        campaign = _campaign(Path(directory) / "campaign", steps)
        bar = track(_run(campaign, steps), "steps", steps, console=Console(stderr=True))
        memory = list(bar)
        shards = campaign.shards()[1:]
        per_step = sum(shard.stat().st_size for shard in shards) / len(shards)
    _report(memory, per_step)


def _report(memory: list[Memory], per_step: float) -> None:
    """Print the table."""
    steps = len(memory)
    print(f"shock, {steps} steps of 8 samples in one process; a step's shard has", end=" ")
    print(f"{per_step / KIB:.1f} KiB")
    print(f"  {'MiB':10}{f'step {WARM}':>10}{f'step {steps}':>10}{'KiB a step':>14}", end="")
    print("   over the shard's")
    for name in ("resident", "private", "peak"):
        values = np.array([getattr(m, name) for m in memory[WARM - 1 :]], float)
        slope = _slope(values)
        print(f"  {name:10}{values[0] / KIB**2:10.1f}{values[-1] / KIB**2:10.1f}", end="")
        print(f"{slope / KIB:14.1f}{slope / per_step:17.2f}")


def _slope(values: np.ndarray) -> float:
    """Return the growth per step, by least squares."""
    return float(np.polyfit(np.arange(len(values)), values, 1)[0])


def _campaign(directory: Path, steps: int) -> Campaign:
    names = ("place", "tilt", "width", "strength")
    content = {
        "name": "memory",
        "parameters": {name: {"low": 0, "high": 1} for name in names},
        "solver": {"kind": "analytic", "problem": "shock"},
        "surrogate": {
            "width": 16,
            "depth": 1,
            "initial": {"kind": "cosine", "start": 0.01, "end": 1e-4, "length": 100},
        },
        "samples_per_step": 8,
        "candidates": 256,
        "stopping": {"max_steps": steps},
    }
    return Campaign.start(parse(content, "benchmarks/memory.py"), directory)


def _run(campaign: Campaign, steps: int) -> Iterator[Memory]:
    """Run the loop, and yield the memory after each step."""
    driver = CampaignDriver(campaign)
    for _ in range(steps):
        driver.active_learning_step()
        yield Memory.now()


if __name__ == "__main__":
    main()
