"""Every label of a driver, on disk from the instant that its strategy gives it.

What is in it is never obtained twice and never lost: a killed labeller goes on behind its last
label, and a training pool that was in memory is filled from it again.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pools.encoding import decode, encode
from pools.errors import CampaignError, IntegrityError

_TABLE = (
    "create table if not exists labels (number integer primary key, step integer not null, "
    "sample text not null, content blob not null)"
)

_SPARE = -1


@dataclass(frozen=True, slots=True)
class Kept:
    """One label.

    Attributes:
        number: its place in the journal, from 1.
        step: the step that asked for it.
        sample: identity of the sample that it is of; empty where that is not known.
        label: what the strategy gave.
    """

    number: int
    step: int
    sample: str
    label: Any


class LabelJournal:
    """The labels of one driver in an SQLite file, in the order in which they were obtained.

    Args:
        file: the file; made when the first label is kept.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._open: sqlite3.Connection | None = None

    def keep(self, step: int, sample: str, label: object) -> None:
        """Add a label durably.

        Raises:
            UsageError: the label holds something that cannot be encoded.
            CampaignError: the file cannot be written.
        """
        row = (step, sample, encode(label))
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            self._stay_open()
            with closing(self._connect()) as connection, connection:
                connection.execute(
                    "insert into labels (step, sample, content) values (?, ?, ?)", row
                )
        except (OSError, sqlite3.OperationalError) as error:
            raise CampaignError(
                f"cannot write {self._file}: {error}; make the directory writable or free some "
                "disk space, then resume from the last checkpoint: nothing already labelled is "
                "lost"
            ) from error

    def labels(self, *, before: int | None = None, step: int | None = None) -> Iterator[Kept]:
        """Yield labels in order.

        Args:
            before: only those of earlier steps.
            step: only those of this step.
        """
        for number, asked, sample, content in self._rows("*", _range(before, step)):
            yield Kept(number, asked, sample, decode(content))

    def samples(self, *, before: int) -> set[str]:
        """Return the identities of the samples that were labelled in earlier steps."""
        return {str(row[0]) for row in self._rows("sample", _range(before, None))} - {""}

    def spare(self) -> Iterator[Kept]:
        """Yield the labels that belong to no step: a run that was rewound did not ask for them."""
        for number, step, sample, content in self._rows("*", (_SPARE, _SPARE + 1)):
            yield Kept(number, step, sample, decode(content))

    def assign(self, number: int, step: int | None) -> None:
        """Let a label belong to a step, or to none."""
        with closing(self._connect()) as connection, connection:
            connection.execute(
                "update labels set step = ? where number = ?",
                (_SPARE if step is None else step, number),
            )

    def count(self, *, before: int | None = None) -> int:
        """Return how many labels there are."""
        return int(next(self._rows("count(*)", _range(before, None)), (0,))[0])

    def drop(self, number: int) -> None:
        """Forget a label whose sample is not known, which will be labelled again."""
        with closing(self._connect()) as connection, connection:
            connection.execute("delete from labels where number = ?", (number,))

    def close(self) -> None:
        """Let SQLite tidy up; the next label opens the file again."""
        if self._open is not None:
            self._open.close()
        self._open = None

    def __del__(self) -> None:
        self.close()

    def _stay_open(self) -> None:
        """Keep one connection, on which nothing is done.

        SQLite writes its log back when the last connection closes, and that would be every label's
        own: five times as slow.
        """
        if self._open is None:
            self._open = self._connect()

    def _rows(self, columns: str, steps: tuple[int, int]) -> Iterator[tuple[Any, ...]]:
        query = f"select {columns} from labels where step >= ? and step < ? order by step, number"  # noqa: S608 - the columns are ours
        if not self._file.exists():
            return
        try:
            with closing(self._connect()) as connection:
                yield from connection.execute(query, steps)
        except sqlite3.DatabaseError as error:
            raise IntegrityError(
                f"{self._file} holds no labels that can be read ({error}); restore it from a "
                "backup, or move it away: the samples of all steps are then labelled again"
            ) from error

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._file, timeout=60, check_same_thread=False)
        connection.execute("pragma journal_mode=wal")
        connection.execute("pragma synchronous=full")
        connection.execute(_TABLE)
        return connection


def _range(before: int | None, step: int | None) -> tuple[int, int]:
    """Return the steps that are meant, from the first to the one behind the last."""
    if step is not None:
        return step, step + 1
    return 0, 2**62 if before is None else before
