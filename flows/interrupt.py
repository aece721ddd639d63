"""Ctrl-C as the end of a command: one line, and the code that shells report."""

from collections.abc import Iterator
from contextlib import contextmanager

import typer
from rich.console import Console

_INTERRUPTED = 130  # what shells report of a process that SIGINT ended


@contextmanager
def interruptible(console: Console) -> Iterator[None]:
    """End in a line where the context was interrupted.

    What is raised need not be the interrupt itself: libraries clean up behind it, and where
    nothing answers any more (the temporary server ends, or has not begun) that raises its own.
    """
    try:
        yield
    except BaseException as error:
        if not _is_interrupt(error):
            raise
        console.print("interrupted: run the same command again to go on, nothing is lost")
        raise typer.Exit(_INTERRUPTED) from None


def _is_interrupt(error: BaseException) -> bool:
    """Whether an error is an interrupt, or one is what it came from."""
    left: list[BaseException | None] = [error]
    seen: set[int] = set()
    while left:
        one = left.pop()
        if isinstance(one, KeyboardInterrupt):
            return True
        if one is not None and id(one) not in seen:
            seen.add(id(one))
            left += [one.__cause__, one.__context__]
    return False
