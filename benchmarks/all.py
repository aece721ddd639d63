"""All benchmarks, one after the other, each in a process of its own."""

import argparse
import subprocess
import sys
from pathlib import Path

BENCHMARKS = (
    "pool_reading",
    "ensemble_training",
    "training_loop",
    "driver_overhead",
    "labelling",
    "labelling_openfoam",
    "orchestration",
    "dask_labelling",
    "memory",
    "lcmd",
    "level_learners",
    "fidelity",
    "efficiency",
)


def main() -> None:
    """Run them all; exit with 1 where one failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help="the long setting of each")
    arguments = ["--full"] if parser.parse_args().full else []
    failed = [name for name in BENCHMARKS if run(name, arguments) != 0]
    if failed:
        raise SystemExit(f"failed: {', '.join(failed)}")


def run(name: str, arguments: list[str]) -> int:
    """Run one benchmark from the repository's root and return its exit code."""
    print(f"\n== {name} ==", flush=True)
    command = [sys.executable, "-m", f"benchmarks.{name}", *arguments]
    return subprocess.run(command, check=False, cwd=Path(__file__).parents[1]).returncode


if __name__ == "__main__":
    main()
