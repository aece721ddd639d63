"""What a command prints: progress as bars on a terminal, elsewhere as plain lines."""

import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.progress import TaskID as BarId

from flows.plain_console import PlainConsole
from phases.progress import LOGGER, PROGRESS_LOGGER
from phases.progress import Progress as Told

_SECONDS_BETWEEN_LINES = 5.0
_PIPED_WIDTH = 1000  # a table takes what it needs; rich would cut values at 80 columns


def standard_output() -> Console:
    """Return where a command prints: as wide as the terminal or COLUMNS says, else uncut."""
    console = PlainConsole(highlight=False)
    if not console.is_terminal and not os.environ.get("COLUMNS", "").isdecimal():
        console.width = _PIPED_WIDTH
    return console


@contextmanager
def shown(console: Console) -> Iterator[None]:
    """Show what solverloop logs while the context lasts."""
    loggers = [logging.getLogger(name) for name in (LOGGER, PROGRESS_LOGGER)]
    with _handler(console) as handler:
        for logger in loggers:
            logger.addHandler(handler)
            logger.setLevel(logging.INFO)
        try:
            yield
        finally:
            for logger in loggers:
                logger.removeHandler(handler)


@contextmanager
def _handler(console: Console) -> Iterator[logging.Handler]:
    if not console.is_terminal:
        yield PlainLines(console)
        return
    columns = (TextColumn("{task.description:<12}"), BarColumn(), MofNCompleteColumn())
    with Progress(
        *columns,
        TimeElapsedColumn(),
        TextColumn("{task.fields[note]}", markup=False),
        console=console,
    ) as bars:
        yield Bars(bars)


class Bars(logging.Handler):
    """One bar for the work at hand; what is finished and other messages above it."""

    def __init__(self, bars: Progress) -> None:
        super().__init__(logging.INFO)
        self._bars = bars
        self._open: dict[str, BarId] = {}

    def emit(self, record: logging.LogRecord) -> None:
        told = getattr(record, "progress", None)
        if not isinstance(told, Told):
            self._bars.console.print(record.getMessage(), highlight=False, markup=False)
            return
        bar = self._open.get(told.work)
        if bar is None:
            bar = self._bars.add_task(told.work, total=told.total, note="")
            self._open[told.work] = bar
        self._bars.update(bar, completed=told.done, total=told.total, note=told.note)
        if told.done >= told.total:
            self._bars.remove_task(self._open.pop(told.work))
            self._bars.console.print(str(told), highlight=False, markup=False)


class PlainLines(logging.Handler):
    """A line per message; of progress only the last, and one every few seconds."""

    def __init__(self, console: Console) -> None:
        super().__init__(logging.INFO)
        self._console = console
        self._last = time.monotonic()

    def emit(self, record: logging.LogRecord) -> None:
        told = getattr(record, "progress", None)
        early = time.monotonic() - self._last < _SECONDS_BETWEEN_LINES
        if isinstance(told, Told) and told.done < told.total and early:
            return
        self._last = time.monotonic()
        self._console.print(record.getMessage(), highlight=False, markup=False, soft_wrap=True)
