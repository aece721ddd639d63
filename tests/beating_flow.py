"""A flow that says that it lives, and does so for long: `python tests/beating_flow.py`."""

import time

from prefect import flow


@flow(name="beating")
def beat() -> None:
    """Wait to be killed."""
    time.sleep(600)


if __name__ == "__main__":
    beat()
