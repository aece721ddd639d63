"""How far long work has got, told through logging so that a bar or a plain line can show it."""

import logging
from dataclasses import dataclass

LOGGER = "solverloop"
"""Name of the logger above all of ours."""


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
    logging.getLogger(LOGGER).info("%s", progress, extra={"progress": progress})
