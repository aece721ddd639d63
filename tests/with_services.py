"""Run a command as a client of Prefect's server with PostgreSQL and Redis, which end with it.

PYTHONPATH=.:tests python -m with_services python -m benchmarks.orchestration
"""

import subprocess
import sys

from services import ROOT, prefect_services_running


def main() -> int:
    """Run it, and return its exit code."""
    with prefect_services_running() as services:
        told = {**services.environment, "PYTHONPATH": str(ROOT)}
        return subprocess.run(sys.argv[1:], env=told, cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
