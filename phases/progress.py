"""How far long work has got, told through logging so that a bar or a plain line can show it."""

import logging
from dataclasses import dataclass

LOGGER = "solverloop"
"""Name of the logger above all of ours; a server may keep what it is told."""
PROGRESS_LOGGER = "solverloop-progress"
"""Name of the logger of progress alone, which is worth showing and not worth keeping."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far one piece of work has got: `done` of `total`, with a note such as a loss."""

    work: str
    done: int
    total: int
    note: str = ""

    def __str__(self) -> str:
        return f"{self.work}: {self.done} of {self.total} {self.note}".rstrip()


def tell(work: str, done: int, total: int, note: str = "") -> None:
    """Tell whoever listens how far `work` has got."""
    progress = Progress(work, done, total, note)
    logging.getLogger(PROGRESS_LOGGER).info("%s", progress, extra={"progress": progress})


def say(message: str) -> None:
    """Say something once."""
    logging.getLogger(LOGGER).info("%s", message)
