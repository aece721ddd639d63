"""What a server is told for a person to look at: it helps, and the work never depends on it."""

import logging
from collections.abc import Callable
from typing import TypeVar

from phases.progress import LOGGER

T = TypeVar("T")


def best_effort(what: str, tell: Callable[[], T]) -> T | None:
    """Tell the server something; where that fails, warn and go on.

    Args:
        what: is told, in words.
        tell: tells it.

    Returns:
        What `tell` returned; None where the server could not be told.
    """
    try:
        return tell()
    except Exception as error:  # noqa: BLE001 - whatever is wrong with a server, a solver goes on
        logging.getLogger(LOGGER).warning(
            "the Prefect server cannot be told %s (%s: %s); the work goes on, and the campaign's "
            "directory has it all",
            what,
            type(error).__name__,
            error,
        )
        return None
