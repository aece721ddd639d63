"""What is on a queue, of whatever kind."""

import queue
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from pools.durable_queue import DurableQueue
from pools.errors import UsageError
from pools.queue_content import content_of, drain, fill, replace


class Plain:
    """A user's queue that has nothing but what is asked for."""

    def __init__(self) -> None:
        self._items: deque[Any] = deque()

    def put(self, item: Any) -> None:
        self._items.append(item)

    def get(self) -> Any:
        return self._items.popleft()

    def empty(self) -> bool:
        return not self._items


class Listed(Plain):
    """A user's queue that can tell, and be told, what is on it."""

    def to_list(self) -> Sequence[Any]:
        return tuple(self._items)

    def from_list(self, items: list[Any]) -> None:
        self._items = deque(items)


QUEUES: dict[str, Callable[[Path], Any]] = {
    "queue.Queue": lambda _: queue.Queue(),
    "a user's": lambda _: Plain(),
    "with to_list": lambda _: Listed(),
    "durable": DurableQueue,
}


@pytest.fixture(params=QUEUES)
def some(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    return QUEUES[request.param](tmp_path / "queues.sqlite")


def test_what_fills_a_queue_is_its_content(some: Any) -> None:
    fill(some, [])
    assert content_of(some) == []
    fill(some, iter([1, 2, 3]))
    assert content_of(some) == [1, 2, 3]
    assert content_of(some) == [1, 2, 3]
    assert [some.get() for _ in range(3)] == [1, 2, 3]
    assert some.empty()


def test_draining_leaves_nothing(some: Any) -> None:
    fill(some, [1, 2])
    assert drain(some) == [1, 2]
    assert some.empty()
    assert content_of(some) == drain(some) == []


def test_what_replaces_is_all_there_is(some: Any) -> None:
    fill(some, [1, 2, 3])
    some.get()
    replace(some, [4, 5])
    assert content_of(some) == [4, 5]
    replace(some, [])
    assert some.empty()


def test_looking_does_not_count_for_join() -> None:
    waiting: queue.Queue[int] = queue.Queue(maxsize=1)
    waiting.put(1)
    assert content_of(waiting) == [1]
    waiting.get()
    waiting.task_done()
    waiting.join()


def test_what_is_taken_from_a_durable_queue_is_content(tmp_path: Path) -> None:
    durable = DurableQueue(tmp_path / "queues.sqlite")
    fill(durable, [1, 2])
    durable.get()
    assert content_of(durable) == [1, 2]
    assert drain(durable) == [1, 2]
    assert durable.taken() == []


def test_what_replaces_also_replaces_what_was_taken_from_a_durable_queue(tmp_path: Path) -> None:
    durable = DurableQueue(tmp_path / "queues.sqlite")
    fill(durable, [1, 2])
    durable.get()
    with pytest.raises(UsageError, match="a object"):
        replace(durable, [3, object()])
    assert content_of(durable) == [1, 2]
    replace(durable, [3])
    assert (content_of(durable), durable.taken()) == ([3], [])


def test_a_full_queue_says_so() -> None:
    with pytest.raises(queue.Full):
        fill(FewPlaces(), [1, 2, 3])


class FewPlaces(Plain):
    def put(self, item: Any) -> None:
        if len(self._items) == 2:
            raise queue.Full
        super().put(item)
