"""A bar on the terminal that says how long a benchmark will still take."""

from collections.abc import Iterable, Iterator
from typing import TypeVar

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

Item = TypeVar("Item")

_WINDOW = 3600.0  # seconds whose speed foretells the rest: one curve may take minutes


def with_bar(items: Iterable[Item], what: str, total: int) -> Iterator[Item]:
    """Yield the items, and show how many are done, since when and for how long still."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    times = (TimeElapsedColumn(), TextColumn("done, left"), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(
        *columns, *times, console=console, speed_estimate_period=_WINDOW, transient=True
    ) as bar:
        yield from bar.track(items, total, description=what)
