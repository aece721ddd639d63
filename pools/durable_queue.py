"""A queue on disk: first in, first out, and what was taken is kept until it is settled.

    put --> waiting --get--> taken --settle--> done
               ^               |---give_back--> waiting, before the others
               |               |---fail------> failed
               +---------retry_failed-----------+

Every change is one transaction, and on disk when the method returns. Queues of different names may
share a file, which has to be on a local disk: SQLite's journal does not work over a network.
"""

import os
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from queue import Empty
from typing import Any, Literal, Self

from pools.encoding import decode, encode
from pools.errors import CampaignError, IntegrityError, SolverloopError, UsageError

FORMAT = 1

_APPLICATION = 0x534C5155  # "SLQU", by which SQLite files of ours are known
_PATIENCE = 60.0  # seconds to wait for another process's transaction
_PAUSE = 0.01  # seconds between tries at making the file while another process makes it
_LARGEST = 10**9 - 10**3  # bytes that SQLite keeps in one row, less what else is in the row
_DAMAGED = (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT)
_BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)

# Contents have a table of their own, so that a change of state does not write them again.
_SCHEMA = f"""
    CREATE TABLE items (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        queue TEXT NOT NULL,
        state TEXT NOT NULL,
        place INTEGER NOT NULL UNIQUE,
        reason TEXT NOT NULL DEFAULT ''
    );
    CREATE INDEX items_in_order ON items (queue, state, place);
    CREATE TABLE contents (number INTEGER PRIMARY KEY, content BLOB NOT NULL);
    PRAGMA application_id = {_APPLICATION};
    PRAGMA user_version = {FORMAT};
"""
_NEXT = "SELECT coalesce(max(place), 0) + 1 FROM items"
_SELECT = "SELECT number, place, reason, content FROM items JOIN contents USING (number) "
_IN_STATE = "WHERE queue = ? AND state = ? AND place > ? ORDER BY place"


class _State(StrEnum):
    WAITING = "waiting"
    TAKEN = "taken"
    DONE = "done"
    FAILED = "failed"


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
        self,
        path: Path,
        name: str = "queue",
        *,
        synchronous: Literal["full", "normal"] = "full",
    ) -> None:
        self._synchronous = synchronous
        self.path = path
        self.name = name
        self._connection: sqlite3.Connection | None = None
        self._inherited: list[sqlite3.Connection] = []
        self._process = os.getpid()
        self._lock = threading.Lock()
        with self._lock:
            self._open()

    def put(self, item: object, block: bool = True, timeout: float | None = None) -> None:  # noqa: ARG002, FBT001, FBT002 - as queue.Queue has it
        """Add an item at the end; it is on disk when this returns.

        Raises:
            UsageError: the item cannot be encoded, or is too large.
            CampaignError: the file cannot be written.
        """
        content = self._encoded(item)
        with self._transaction() as connection:
            self._insert(connection, content)

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
        with self._transaction() as connection:
            self._insert(connection, content)
            of._finish(connection, settled, _State.DONE)

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
        with self._transaction() as connection:
            for number, _, _, content in self._rows(connection, _State.WAITING, limit=1):
                item = self._decoded(number, content)
                _move(connection, number, _State.TAKEN)
                return Taken(number, item)
        raise Empty

    def empty(self) -> bool:
        """Say whether nothing waits."""
        return self.qsize() == 0

    def qsize(self) -> int:
        """Return how many items wait."""
        return self._count(_State.WAITING)

    def __len__(self) -> int:
        return self.qsize()

    def __bool__(self) -> bool:
        return True  # a queue is there, also when it is empty

    def taken(self) -> list[Taken]:
        """Return what was taken and is not settled, in order."""
        return [Taken(number, item) for number, item, _ in self._items(_State.TAKEN)]

    def settle(self, numbers: Iterable[int]) -> None:
        """Acknowledge items that were taken: they are done, in this order.

        Raises:
            UsageError: a number is not of an item taken from this queue; then none is settled.
        """
        with self._transaction() as connection:
            self._finish(connection, numbers, _State.DONE)

    def fail(self, numbers: Iterable[int], reason: str) -> None:
        """Put aside items that were taken, with the reason.

        Raises:
            UsageError: a number is not of an item taken from this queue; then none is put aside.
        """
        with self._transaction() as connection:
            self._finish(connection, numbers, _State.FAILED, reason)

    def failed(self) -> list[Failed]:
        """Return what failed, in the order of failing."""
        return [Failed(*row) for row in self._items(_State.FAILED)]

    def retry_failed(self) -> int:
        """Put what failed at the end of the queue again, and return how many those are."""
        with self._transaction() as connection:
            numbers = self._numbers(connection, _State.FAILED)
            for number in numbers:
                _move_to_end(connection, number, _State.WAITING)
        return len(numbers)

    def give_back(self) -> int:
        """Let all that is taken wait again, in its old order and before what waits.

        Returns:
            How many those are.
        """
        with self._transaction() as connection:
            numbers = self._numbers(connection, _State.TAKEN)
            for number in numbers:
                _move(connection, number, _State.WAITING)  # its place is before all that waits
        return len(numbers)

    def done(self) -> Iterator[Any]:
        """Yield what was settled, in the order of settling, reading one item at a time."""
        place = 0
        while True:
            with self._reading() as connection:
                rows = self._rows(connection, _State.DONE, limit=1, after=place)
            if not rows:
                return
            number, place, _, content = rows[0]
            yield self._decoded(number, content)

    def count_done(self) -> int:
        """Return how many items were settled."""
        return self._count(_State.DONE)

    def snapshot(self) -> list[Any]:
        """Return what is taken and what waits, in order."""
        with self._reading() as connection:
            rows = [
                row
                for state in (_State.TAKEN, _State.WAITING)
                for row in self._rows(connection, state)
            ]
        return [self._decoded(number, content) for number, _, _, content in rows]

    def restore(self, items: Iterable[Any]) -> None:
        """Let these items wait instead of those that wait now.

        Raises:
            UsageError: an item cannot be encoded; or something is taken, which a snapshot
                holds too and which would then be there twice.
        """
        contents = [self._encoded(item) for item in items]
        with self._transaction() as connection:
            if taken := self._numbers(connection, _State.TAKEN):
                raise UsageError(
                    f"{self._where()} cannot be restored: {len(taken)} of its items are taken; "
                    "settle them, or call give_back() first"
                )
            for number in self._numbers(connection, _State.WAITING):
                connection.execute("DELETE FROM contents WHERE number = ?", (number,))
                connection.execute("DELETE FROM items WHERE number = ?", (number,))
            for content in contents:
                self._insert(connection, content)

    def close(self) -> None:
        """Close the file; what is called next opens it again."""
        if self._process != os.getpid():
            return  # what is open is the parent's
        with self._lock:
            if self._connection is not None:
                self._connection.close()
            self._connection = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        self.close()

    @contextmanager
    def _transaction(self, kind: str = "IMMEDIATE") -> Iterator[sqlite3.Connection]:
        """Yield the connection in a transaction that happens as a whole or not at all."""
        if self._process != os.getpid():
            self._leave_to_parent()
        with self._lock:
            connection = self._connection or self._open()
            with self._explained():
                connection.execute(f"BEGIN {kind}")
                try:
                    yield connection
                    connection.execute("COMMIT")
                finally:
                    if connection.in_transaction:
                        connection.execute("ROLLBACK")

    def _reading(self) -> AbstractContextManager[sqlite3.Connection]:
        """Yield the connection in a transaction that sees one state, and waits for no writer."""
        return self._transaction("DEFERRED")

    def _leave_to_parent(self) -> None:
        """Forget, in a forked process, what is open; to close it would undo the parent's locks."""
        if self._connection is not None:
            self._inherited.append(self._connection)
        self._connection = None
        self._process = os.getpid()
        self._lock = threading.Lock()

    def _open(self) -> sqlite3.Connection:
        with self._explained():
            self.path.parent.mkdir(parents=True, exist_ok=True)
            connection = sqlite3.connect(
                self.path, timeout=_PATIENCE, isolation_level=None, check_same_thread=False
            )
            try:
                self._prepare(connection)
            except BaseException:
                connection.close()
                raise
        self._connection = connection
        return connection

    def _prepare(self, connection: sqlite3.Connection) -> None:
        connection.execute(f"PRAGMA synchronous = {self._synchronous}")
        self._check(connection)
        _use_journal(connection)
        connection.execute("BEGIN IMMEDIATE")
        if _is_new(connection):
            for statement in _SCHEMA.split(";"):
                connection.execute(statement)
        connection.execute("COMMIT")

    def _check(self, connection: sqlite3.Connection) -> None:
        """Look whether the file, if it is not new, is one of ours."""
        if _is_new(connection):
            return
        if (found := _pragma(connection, "application_id")) != _APPLICATION:
            raise IntegrityError(
                f"{self.path} is an SQLite file of another program (its application_id is "
                f"{found}, that of queues is {_APPLICATION}); give the queues a path of their own"
            )
        if (version := _pragma(connection, "user_version")) != FORMAT:
            raise IntegrityError(
                f"{self.path} has the format {version}, but this version reads {FORMAT}; use the "
                "version of solverloop that wrote it, or move the file away to begin anew"
            )

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Turn what SQLite says into errors of solverloop."""
        try:
            yield
        except (OSError, sqlite3.Error) as error:
            raise self._error(error) from error

    def _error(self, error: OSError | sqlite3.Error) -> SolverloopError:
        code = _code(error)
        if code in _DAMAGED:
            return IntegrityError(
                f"{self.path} holds no queues that can be read ({error}); restore it from a "
                "backup, or move it away, with the files beside it whose names begin with its "
                "own, to begin with empty queues"
            )
        if code in _BUSY:
            return CampaignError(
                f"cannot write {self.path}: another process has held it for {_PATIENCE:g} "
                "seconds; end that process, then run the same command again: nothing already "
                "solved is lost"
            )
        why = getattr(error, "strerror", None) or error
        return CampaignError(
            f"cannot write {self.path}: {why}; make the directory writable or free some disk "
            "space, then run the same command again: nothing already solved is lost"
        )

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

    def _decoded(self, number: int, content: bytes) -> Any:  # noqa: ANN401 - what was put
        try:
            return decode(content)
        except IntegrityError as error:
            raise IntegrityError(f"item {number} of {self._where()}: {error}") from error

    def _insert(self, connection: sqlite3.Connection, content: bytes) -> None:
        number = connection.execute(
            f"INSERT INTO items (queue, state, place) VALUES (?, ?, ({_NEXT}))",  # noqa: S608 - a constant
            (self.name, _State.WAITING),
        ).lastrowid
        connection.execute("INSERT INTO contents VALUES (?, ?)", (number, content))

    def _finish(
        self,
        connection: sqlite3.Connection,
        numbers: Iterable[int],
        state: _State,
        reason: str = "",
    ) -> None:
        for number in numbers:
            found = connection.execute(
                "SELECT state FROM items WHERE number = ? AND queue = ?", (int(number), self.name)
            ).fetchone()
            if found != (_State.TAKEN,):
                raise UsageError(
                    f"item {number} of {self._where()} is {found[0] if found else 'not there'}, "
                    "and only what is taken can be settled or fail; taken() says which those are"
                )
            _move_to_end(connection, int(number), state, reason)

    def _items(self, state: _State) -> list[tuple[int, Any, str]]:
        with self._reading() as connection:
            rows = self._rows(connection, state)
        return [(number, self._decoded(number, row), reason) for number, _, reason, row in rows]

    def _rows(
        self, connection: sqlite3.Connection, state: _State, *, limit: int = -1, after: int = 0
    ) -> list[tuple[int, int, str, bytes]]:
        """Return number, place, reason and content of items in order; all if `limit` is -1."""
        query = f"{_SELECT} {_IN_STATE} LIMIT ?"
        return connection.execute(query, (self.name, state, after, limit)).fetchall()

    def _numbers(self, connection: sqlite3.Connection, state: _State) -> list[int]:
        query = f"SELECT number FROM items {_IN_STATE}"  # noqa: S608 - constants
        return [number for (number,) in connection.execute(query, (self.name, state, 0))]

    def _count(self, state: _State) -> int:
        query = "SELECT count(*) FROM items WHERE queue = ? AND state = ?"
        with self._reading() as connection:
            return int(connection.execute(query, (self.name, state)).fetchone()[0])


def _is_new(connection: sqlite3.Connection) -> bool:
    return not connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])


def _use_journal(connection: sqlite3.Connection) -> None:
    """Turn on the write-ahead log; SQLite does not wait where two processes do so at once."""
    end = time.monotonic() + _PATIENCE
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if _code(error) not in _BUSY or time.monotonic() > end:
                raise
        else:
            return
        time.sleep(_PAUSE)


def _code(error: Exception) -> int:
    """Return SQLite's code of an error, without what it adds of the kind; 0 where it has none."""
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF


def _move(connection: sqlite3.Connection, number: int, state: _State) -> None:
    connection.execute("UPDATE items SET state = ? WHERE number = ?", (state, number))


def _move_to_end(
    connection: sqlite3.Connection, number: int, state: _State, reason: str = ""
) -> None:
    connection.execute(
        f"UPDATE items SET state = ?, reason = ?, place = ({_NEXT}) WHERE number = ?",  # noqa: S608 - a constant
        (state, reason, number),
    )
