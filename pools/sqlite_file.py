"""A file of ours in SQLite's format, open for threads, processes and forked processes at once.

Every change is one transaction, and on disk when it ends. The file has to be on a local disk:
SQLite's journal does not work over a network.
"""

import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pools.errors import CampaignError, IntegrityError, SolverloopError

Synchronous = Literal["full", "normal"]
"""With `normal` a loss of power, and nothing else, may take the last changes."""

_PATIENCE = 60.0  # seconds to wait for another process's transaction
_PAUSE = 0.01  # seconds between tries at making the file while another process makes it
_DAMAGED = (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT)
_BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


@dataclass(frozen=True, slots=True)
class Layout:
    """One kind of file, and how errors speak of it.

    Attributes:
        holds: what is in it, such as "queues".
        application: the number by which files of this kind are known.
        version: of the tables.
        tables: the statements that make them, each but the last with a semicolon behind it.
        anew: what comes of it if a damaged file is moved away.
        go_on: what to do after a failure, and that nothing is lost.
    """

    holds: str
    application: int
    version: int
    tables: str
    anew: str
    go_on: str


class SqliteFile:
    """A file that is opened when it is first used, and anew in a process that was forked.

    Args:
        path: the file; made if need be, with its directory.
        layout: what is in it.
        synchronous: when a change is on disk.
    """

    def __init__(self, path: Path, layout: Layout, synchronous: Synchronous = "full") -> None:
        self.path = path
        self._layout = layout
        self._synchronous = synchronous
        self._connection: sqlite3.Connection | None = None
        self._inherited: list[sqlite3.Connection] = []
        self._process = os.getpid()
        self._lock = threading.Lock()

    def open(self) -> None:
        """Open the file now, rather than when it is first used.

        Raises:
            IntegrityError: the file is damaged, of another version, or of another program.
            CampaignError: it cannot be made or opened.
        """
        with self._lock:
            if self._connection is None:
                self._open()

    def writing(self) -> AbstractContextManager[sqlite3.Connection]:
        """Yield the connection in a transaction that happens as a whole or not at all."""
        return self._transaction("BEGIN IMMEDIATE")

    def reading(self) -> AbstractContextManager[sqlite3.Connection]:
        """Yield the connection in a transaction that sees one state, and waits for no writer."""
        return self._transaction("BEGIN DEFERRED")

    def close(self) -> None:
        """Close the file; what is done next opens it again."""
        if self._process != os.getpid():
            return  # what is open is the parent's
        with self._lock:
            if self._connection is not None:
                self._connection.close()
            self._connection = None

    def __del__(self) -> None:
        self.close()

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[sqlite3.Connection]:
        if self._process != os.getpid():
            self._leave_to_parent()
        with self._lock:
            connection = self._connection or self._open()
            with self._explained():
                connection.execute(begin)
                try:
                    yield connection
                    connection.execute("COMMIT")
                finally:
                    if connection.in_transaction:
                        connection.execute("ROLLBACK")

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
            for statement in self._layout.tables.split(";"):
                connection.execute(statement)
            connection.execute(f"PRAGMA application_id = {self._layout.application}")
            connection.execute(f"PRAGMA user_version = {self._layout.version}")
        connection.execute("COMMIT")

    def _check(self, connection: sqlite3.Connection) -> None:
        """Look whether the file, if it is not new, is of this layout."""
        if _is_new(connection):
            return
        layout = self._layout
        if (found := _pragma(connection, "application_id")) != layout.application:
            raise IntegrityError(
                f"{self.path} is an SQLite file of another program (its application_id is "
                f"{found}, that of {layout.holds} is {layout.application}); give the "
                f"{layout.holds} a path of their own"
            )
        if (version := _pragma(connection, "user_version")) != layout.version:
            raise IntegrityError(
                f"{self.path} has the format {version}, but this version reads {layout.version}; "
                "use the version of solverloop that wrote it, or move the file away to begin anew"
            )

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Turn what SQLite says into errors of solverloop."""
        try:
            yield
        except (OSError, sqlite3.Error) as error:
            raise self._error(error) from error

    def _error(self, error: OSError | sqlite3.Error) -> SolverloopError:
        code, layout = _code(error), self._layout
        if code in _DAMAGED:
            return IntegrityError(
                f"{self.path} holds no {layout.holds} that can be read ({error}); restore it from "
                "a backup, or move it away, with the files beside it whose names begin with its "
                f"own: {layout.anew}"
            )
        if code in _BUSY:
            return CampaignError(
                f"cannot write {self.path}: another process has held it for {_PATIENCE:g} "
                f"seconds; end that process, then {layout.go_on}"
            )
        why = getattr(error, "strerror", None) or error
        return CampaignError(
            f"cannot write {self.path}: {why}; make the directory writable or free some disk "
            f"space, then {layout.go_on}"
        )


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
