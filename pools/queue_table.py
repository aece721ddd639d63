"""The rows of durable queues in SQLite: the state of each item, its place and its bytes.

A method is a part of the transaction of the connection that it is given.
"""

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from pools.sqlite_file import Layout

# Contents have a table of their own, so that a change of state does not write them again.
LAYOUT = Layout(
    holds="queues",
    application=0x534C5155,  # "SLQU"
    version=1,
    tables="""
        CREATE TABLE items (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            queue TEXT NOT NULL,
            state TEXT NOT NULL,
            place INTEGER NOT NULL UNIQUE,
            reason TEXT NOT NULL DEFAULT ''
        );
        CREATE INDEX items_in_order ON items (queue, state, place);
        CREATE TABLE contents (number INTEGER PRIMARY KEY, content BLOB NOT NULL)
    """,
    anew="one begins with empty queues then",
    go_on="run the same command again: nothing already solved is lost",
)

_NEXT = "SELECT coalesce(max(place), 0) + 1 FROM items"
_SELECT = "SELECT number, place, reason, content FROM items JOIN contents USING (number)"
_IN_STATE = "queue = ? AND state = ?"
_OPEN = "queue = ? AND state IN ('waiting', 'taken')"


class State(StrEnum):
    """Where an item is."""

    WAITING = "waiting"
    TAKEN = "taken"
    DONE = "done"
    FAILED = "failed"


class Row(NamedTuple):
    """An item as it is kept.

    Attributes:
        number: its number in the file.
        place: where it stands among those of its state.
        reason: why it failed.
        content: the item, encoded.
    """

    number: int
    place: int
    reason: str
    content: bytes


@dataclass(frozen=True, slots=True)
class QueueTable:
    """The items of one queue.

    Attributes:
        name: the queue's.
    """

    name: str

    def insert(self, connection: sqlite3.Connection, contents: Iterable[bytes]) -> None:
        """Let encoded items wait, behind all others."""
        for content in contents:
            number = connection.execute(
                f"INSERT INTO items (queue, state, place) VALUES (?, ?, ({_NEXT}))",  # noqa: S608 - a constant
                (self.name, State.WAITING),
            ).lastrowid
            connection.execute("INSERT INTO contents VALUES (?, ?)", (number, content))

    def rows(
        self, connection: sqlite3.Connection, state: State, *, limit: int = -1, after: int = 0
    ) -> list[Row]:
        """Return items of a state in order, from behind a place; all if `limit` is -1."""
        query = f"{_SELECT} WHERE {_IN_STATE} AND place > ? ORDER BY place LIMIT ?"
        found = connection.execute(query, (self.name, state, after, limit))
        return [Row(*row) for row in found]

    def open_rows(self, connection: sqlite3.Connection) -> list[Row]:
        """Return what is taken, and then what waits, in order."""
        return [*self.rows(connection, State.TAKEN), *self.rows(connection, State.WAITING)]

    def numbers(self, connection: sqlite3.Connection, state: State) -> list[int]:
        """Return the numbers of the items of a state, in order."""
        query = f"SELECT number FROM items WHERE {_IN_STATE} ORDER BY place"  # noqa: S608 - a constant
        return [number for (number,) in connection.execute(query, (self.name, state))]

    def count(self, connection: sqlite3.Connection, state: State) -> int:
        """Return how many items are in a state."""
        query = f"SELECT count(*) FROM items WHERE {_IN_STATE}"  # noqa: S608 - a constant
        return int(connection.execute(query, (self.name, state)).fetchone()[0])

    def state_of(self, connection: sqlite3.Connection, number: int) -> State | None:
        """Return the state of an item; None where this queue has none of this number."""
        query = "SELECT state FROM items WHERE number = ? AND queue = ?"
        found = connection.execute(query, (number, self.name)).fetchone()
        return None if found is None else State(found[0])

    def replace_open(self, connection: sqlite3.Connection, contents: Iterable[bytes]) -> None:
        """Let encoded items wait instead of what waits and what is taken."""
        numbers = f"SELECT number FROM items WHERE {_OPEN}"  # noqa: S608 - a constant
        connection.execute(f"DELETE FROM contents WHERE number IN ({numbers})", (self.name,))  # noqa: S608 - as above
        connection.execute(f"DELETE FROM items WHERE {_OPEN}", (self.name,))  # noqa: S608 - as above
        self.insert(connection, contents)

    def let_taken_wait(self, connection: sqlite3.Connection) -> int:
        """Let what is taken wait, at its old place; return how many those are."""
        query = f"UPDATE items SET state = ? WHERE {_IN_STATE}"  # noqa: S608 - a constant
        return connection.execute(query, (State.WAITING, self.name, State.TAKEN)).rowcount

    @staticmethod
    def move(connection: sqlite3.Connection, number: int, state: State) -> None:
        """Change the state of an item, which keeps its place."""
        connection.execute("UPDATE items SET state = ? WHERE number = ?", (state, number))

    @staticmethod
    def move_to_end(
        connection: sqlite3.Connection, number: int, state: State, reason: str = ""
    ) -> None:
        """Change the state of an item, and its place to behind all others."""
        connection.execute(
            f"UPDATE items SET state = ?, reason = ?, place = ({_NEXT}) WHERE number = ?",  # noqa: S608 - a constant
            (state, reason, number),
        )
