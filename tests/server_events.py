"""What a Prefect server knows of solverloop's events."""

import time
from pathlib import Path
from typing import Any

from prefect.client.orchestration import get_client

_MOST = 50  # that the server gives at once


def events_of(directory: Path, name: str, count: int = 1) -> list[dict[str, Any]]:
    """Return the events of this name of a campaign, oldest first, once the server knows so many.

    It records them with a delay.
    """
    for _ in range(150):
        found = events_now(directory, name)
        if len(found) >= count:
            return found[::-1]
        time.sleep(0.1)
    raise AssertionError(f"only {len(found)} of {count} events {name} were recorded")


def events_now(directory: Path, name: str) -> list[dict[str, Any]]:
    """Return the events of this name of a campaign that the server knows now, newest first."""
    return [event for event in _newest(name) if str(directory) in str(event)]


def _newest(name: str) -> list[dict[str, Any]]:
    wanted = {"event": {"name": [name]}, "order": "DESC"}
    with get_client(sync_client=True) as client:
        answer = client.request("POST", "/events/filter", json={"filter": wanted, "limit": _MOST})
    return list(answer.json()["events"])
