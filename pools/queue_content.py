"""What is on a queue, for checkpoints: of any first-in first-out queue."""

import queue as standard
from collections.abc import Iterable
from typing import Any, Protocol, runtime_checkable


class Fifo(Protocol):
    """First in, first out."""

    def put(self, item: Any, /) -> object:  # noqa: ANN401 - whatever travels
        """Add an item at the end."""
        ...

    def get(self) -> Any:  # noqa: ANN401 - whatever travels
        """Remove and return the first item."""
        ...

    def empty(self) -> bool:
        """Say whether there is nothing to get."""
        ...


@runtime_checkable
class _Listed(Protocol):
    def to_list(self) -> Iterable[Any]: ...


@runtime_checkable
class _Filled(Protocol):
    def from_list(self, items: list[Any], /) -> object: ...


@runtime_checkable
class _Durable(Protocol):
    def snapshot(self) -> list[Any]: ...

    def drain(self) -> list[Any]: ...

    def replace(self, items: Iterable[Any], /) -> None: ...


def content_of(queue: Fifo) -> list[Any]:
    """Return what is on a queue, in order, and leave it there.

    On a durable queue that is also what was taken and is not settled. A queue that cannot tell is
    emptied and filled again, so nothing else may use it meanwhile.
    """
    if isinstance(queue, _Listed):
        return list(queue.to_list())
    if isinstance(queue, _Durable):
        return queue.snapshot()
    if isinstance(queue, standard.Queue):
        with queue.mutex:  # an item that is put again would count twice for `join`
            return list(queue.queue)
    items = _all_of(queue)
    for item in items:
        queue.put(item)
    return items


def fill(queue: Fifo, items: Iterable[Any]) -> None:
    """Put items on a queue, in order; what its `from_list` does, where it has that."""
    if isinstance(queue, _Filled):
        queue.from_list(list(items))
        return
    for item in items:
        queue.put(item)


def drain(queue: Fifo) -> list[Any]:
    """Remove and return what is on a queue, in order; a durable queue keeps nothing as taken."""
    return queue.drain() if isinstance(queue, _Durable) else _all_of(queue)


def replace(queue: Fifo, items: Iterable[Any]) -> None:
    """Let a queue hold these items and no others; a durable one in one transaction."""
    if isinstance(queue, _Durable):
        queue.replace(items)
        return
    _all_of(queue)
    fill(queue, items)


def _all_of(queue: Fifo) -> list[Any]:
    items = []
    while not queue.empty():
        items.append(queue.get())
    return items
