"""A queue on disk: first in, first out, and what was taken is kept until it is settled.

    put --> waiting --get--> taken --settle--> done
               ^               |---give_back--> waiting, before the others
               |               |---fail------> failed
               +---------retry_failed-----------+

Every change is one transaction, and on disk when the method returns. Queues of different names may
share a file, which has to be on a local disk: SQLite's journal does not work over a network.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from queue import Empty
from typing import Any, Self

from pools.encoding import decode, encode
from pools.errors import IntegrityError, UsageError
from pools.queue_table import LAYOUT, QueueTable, Row, State
from pools.sqlite_file import SqliteFile, Synchronous

_LARGEST = 10**9 - 10**3  # bytes that SQLite keeps in one row, less what else is in the row


@dataclass(frozen=True, slots=True, eq=False)
class Taken:
    """An item that was taken from the queue and is not settled.

    Attributes:
        number: its number in the file; never used again.
        item: what was put.
    """

    number: int
    item: Any


@dataclass(frozen=True, slots=True, eq=False)
class Failed:
    """An item that could not be dealt with.

    Attributes:
        number: its number in the file.
        item: what was put.
        reason: why, in words.
    """

    number: int
    item: Any
    reason: str


class DurableQueue:
    """A first-in first-out queue in an SQLite file, for threads and processes at once.

    It may be used where a `queue.Queue` is, except that `get` never waits. A process that was
    forked opens the file anew by itself.

    Args:
        path: the file; made if need be, with its directory.
        name: which of the file's queues.
        synchronous: `full`, or `normal`: then a loss of power, and nothing else, may take the
            last changes, and a change takes half the time.

    Raises:
        IntegrityError: the file is damaged, of another format, or of another program.
        CampaignError: it cannot be made or opened.
    """

    def __init__(
        self, path: Path, name: str = "queue", *, synchronous: Synchronous = "full"
    ) -> None:
        self._file = SqliteFile(path, LAYOUT, synchronous)
        self._table = QueueTable(name)
        self.path = path
        self.name = name
        self._file.open()

    def put(self, item: object, block: bool = True, timeout: float | None = None) -> None:  # noqa: ARG002, FBT001, FBT002 - as queue.Queue has it
        """Add an item at the end; it is on disk when this returns.

        Raises:
            UsageError: the item cannot be encoded, or is too large.
            CampaignError: the file cannot be written.
        """
        content = self._encoded(item)
        with self._file.writing() as connection:
            self._table.insert(connection, [content])

    def put_nowait(self, item: object) -> None:
        """Add an item at the end."""
        self.put(item)

    def put_and_settle(self, item: object, settled: Sequence[int], of: "DurableQueue") -> None:
        """Add an answer at the end, and settle what it answers, in one transaction.

        Args:
            item: the answer.
            settled: numbers of items that were taken.
            of: the queue that they were taken from, in the same file.

        Raises:
            UsageError: the queue is in another file, or a number is not of an item taken from it.
        """
        if of.path.resolve() != self.path.resolve():
            raise UsageError(
                f"queue {self.name!r} is in {self.path} and {of.name!r} in {of.path}; only queues "
                "of one file change together: open both with the same path"
            )
        content = self._encoded(item)
        with self._file.writing() as connection:
            self._table.insert(connection, [content])
            of._finish(connection, settled, State.DONE)

    def get(self, block: bool = True, timeout: float | None = None) -> Any:  # noqa: ANN401, ARG002, FBT001, FBT002 - as queue.Queue has it
        """Take the first item and return it; it is kept as taken until it is settled.

        Raises:
            queue.Empty: none waits, whatever `block` and `timeout` say.
        """
        return self.take().item

    def get_nowait(self) -> Any:  # noqa: ANN401 - what was put
        """Take the first item and return it."""
        return self.take().item

    def take(self) -> Taken:
        """Take the first item, and return it with the number that settles it.

        Raises:
            queue.Empty: none waits.
        """
        with self._file.writing() as connection:
            for row in self._table.rows(connection, State.WAITING, limit=1):
                item = self._decoded(row)
                self._table.move(connection, row.number, State.TAKEN)
                return Taken(row.number, item)
        raise Empty

    def empty(self) -> bool:
        """Say whether nothing waits."""
        return self.qsize() == 0

    def qsize(self) -> int:
        """Return how many items wait."""
        return self._count(State.WAITING)

    def __len__(self) -> int:
        return self.qsize()

    def __bool__(self) -> bool:
        return True  # a queue is there, also when it is empty

    def taken(self) -> list[Taken]:
        """Return what was taken and is not settled, in order."""
        return [Taken(row.number, self._decoded(row)) for row in self._rows(State.TAKEN)]

    def settle(self, numbers: Iterable[int]) -> None:
        """Acknowledge items that were taken: they are done, in this order.

        Raises:
            UsageError: a number is not of an item taken from this queue; then none is settled.
        """
        with self._file.writing() as connection:
            self._finish(connection, numbers, State.DONE)

    def settle_taken(self) -> None:
        """Acknowledge all that was taken, in order."""
        with self._file.writing() as connection:
            for number in self._table.numbers(connection, State.TAKEN):
                self._table.move_to_end(connection, number, State.DONE)

    def fail(self, numbers: Iterable[int], reason: str) -> None:
        """Put aside items that were taken, with the reason.

        Raises:
            UsageError: a number is not of an item taken from this queue; then none is put aside.
        """
        with self._file.writing() as connection:
            self._finish(connection, numbers, State.FAILED, reason)

    def failed(self) -> list[Failed]:
        """Return what failed, in the order of failing."""
        rows = self._rows(State.FAILED)
        return [Failed(row.number, self._decoded(row), row.reason) for row in rows]

    def retry_failed(self) -> int:
        """Put what failed at the end of the queue again, and return how many those are."""
        with self._file.writing() as connection:
            numbers = self._table.numbers(connection, State.FAILED)
            for number in numbers:
                self._table.move_to_end(connection, number, State.WAITING)
        return len(numbers)

    def give_back(self) -> int:
        """Let all that is taken wait again, in its old order and before what waits.

        Returns:
            How many those are.
        """
        with self._file.writing() as connection:
            return self._table.let_taken_wait(connection)

    def done(self) -> Iterator[Any]:
        """Yield what was settled, in the order of settling, reading one item at a time."""
        place = 0
        while True:
            with self._file.reading() as connection:
                rows = self._table.rows(connection, State.DONE, limit=1, after=place)
            if not rows:
                return
            place = rows[0].place
            yield self._decoded(rows[0])

    def count_done(self) -> int:
        """Return how many items were settled."""
        return self._count(State.DONE)

    def snapshot(self) -> list[Any]:
        """Return what is taken and what waits, in order."""
        with self._file.reading() as connection:
            rows = self._table.open_rows(connection)
        return [self._decoded(row) for row in rows]

    def drain(self) -> list[Any]:
        """Remove and return what is taken and what waits, in order, in one transaction.

        Raises:
            IntegrityError: an item is damaged; then none is removed.
        """
        with self._file.writing() as connection:
            items = [self._decoded(row) for row in self._table.open_rows(connection)]
            self._table.replace_open(connection, [])
        return items

    def replace(self, items: Iterable[Any]) -> None:
        """Let these items wait instead of those that wait and those that are taken.

        Raises:
            UsageError: an item cannot be encoded; then nothing is changed.
        """
        contents = [self._encoded(item) for item in items]
        with self._file.writing() as connection:
            self._table.replace_open(connection, contents)

    def restore(self, items: Iterable[Any]) -> None:
        """Let these items wait instead of those that wait now.

        Raises:
            UsageError: an item cannot be encoded; or something is taken, which a snapshot
                holds too and which would then be there twice.
        """
        contents = [self._encoded(item) for item in items]
        with self._file.writing() as connection:
            if taken := self._table.count(connection, State.TAKEN):
                raise UsageError(
                    f"{self._where()} cannot be restored: {taken} of its items are taken; "
                    "settle them, or call give_back() first"
                )
            self._table.replace_open(connection, contents)

    def close(self) -> None:
        """Close the file; what is called next opens it again."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _where(self) -> str:
        return f"queue {self.name!r} in {self.path}"

    def _encoded(self, item: object) -> bytes:
        content = encode(item)
        if len(content) > _LARGEST:
            raise UsageError(
                f"an item for {self._where()} takes {len(content)} bytes, at most {_LARGEST} are "
                "allowed; put its numbers into a file, and the file's path on the queue"
            )
        return content

    def _decoded(self, row: Row) -> Any:  # noqa: ANN401 - what was put
        try:
            return decode(row.content)
        except IntegrityError as error:
            raise IntegrityError(f"item {row.number} of {self._where()}: {error}") from error

    def _rows(self, state: State) -> list[Row]:
        with self._file.reading() as connection:
            return self._table.rows(connection, state)

    def _count(self, state: State) -> int:
        with self._file.reading() as connection:
            return self._table.count(connection, state)

    def _finish(
        self,
        connection: sqlite3.Connection,
        numbers: Iterable[int],
        state: State,
        reason: str = "",
    ) -> None:
        for number in map(int, numbers):
            found = self._table.state_of(connection, number)
            if found is not State.TAKEN:
                raise UsageError(
                    f"item {number} of {self._where()} is {found or 'not there'}, and only what "
                    "is taken can be settled or fail; taken() says which those are"
                )
            self._table.move_to_end(connection, number, state, reason)
