"""Every label of a driver, on disk from the instant that its strategy gives it.

What is in it is never obtained twice and never lost: a killed labeller goes on behind its last
label, and a training pool that was in memory is filled from it again.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pools.encoding import decode, encode
from pools.errors import IntegrityError
from pools.sqlite_file import Layout, SqliteFile

LAYOUT = Layout(
    holds="labels",
    application=0x534C4C42,  # "SLLB"
    version=1,
    tables="""
        CREATE TABLE labels (
            number INTEGER PRIMARY KEY, step INTEGER NOT NULL, sample TEXT NOT NULL,
            content BLOB NOT NULL
        )
    """,
    anew="the samples of all steps are labelled again then",
    go_on="resume from the last checkpoint: nothing already labelled is lost",
)

_SPARE = -1
_IN_STEPS = "WHERE step >= ? AND step < ? ORDER BY step, number"


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
        path: the file; made when the first label is kept.
    """

    def __init__(self, path: Path) -> None:
        self._file = SqliteFile(path, LAYOUT)

    def keep(self, step: int, sample: str, label: object) -> None:
        """Add a label durably.

        Raises:
            UsageError: the label holds something that cannot be encoded.
            CampaignError: the file cannot be written.
        """
        row = (step, sample, encode(label))
        with self._file.writing() as connection:
            connection.execute("INSERT INTO labels (step, sample, content) VALUES (?, ?, ?)", row)

    def labels(self, *, since: int = 0, before: int | None = None) -> Iterator[Kept]:
        """Yield labels in order, reading one at a time.

        Args:
            since: only those of this step and later ones.
            before: only those of earlier steps.

        Raises:
            IntegrityError: the file, or a label in it, is damaged.
        """
        return self._labels((since, _end(before)))

    def samples(self, *, before: int) -> set[str]:
        """Return the identities of the samples that were labelled in earlier steps."""
        return {str(row[0]) for row in self._rows("sample", (0, _end(before)))} - {""}

    def spare(self) -> Iterator[Kept]:
        """Yield the labels that belong to no step: a run that was rewound did not ask for them."""
        return self._labels((_SPARE, _SPARE + 1))

    def assign(self, number: int, step: int | None) -> None:
        """Let a label belong to a step, or to none."""
        with self._file.writing() as connection:
            connection.execute(
                "UPDATE labels SET step = ? WHERE number = ?",
                (_SPARE if step is None else step, number),
            )

    def count(self, *, before: int | None = None) -> int:
        """Return how many labels there are."""
        return len(self._rows("number", (0, _end(before))))

    def drop(self, number: int) -> None:
        """Forget a label whose sample is not known, which will be labelled again."""
        with self._file.writing() as connection:
            connection.execute("DELETE FROM labels WHERE number = ?", (number,))

    def close(self) -> None:
        """Let SQLite tidy up; the next label opens the file again."""
        self._file.close()

    def _labels(self, steps: tuple[int, int]) -> Iterator[Kept]:
        for number, step, sample in self._rows("number, step, sample", steps):
            yield Kept(number, step, sample, self._content(number))

    def _content(self, number: int) -> Any:  # noqa: ANN401 - what was kept
        query = "SELECT content FROM labels WHERE number = ?"
        with self._file.reading() as connection:
            (content,) = connection.execute(query, (number,)).fetchone()
        try:
            return decode(content)
        except IntegrityError as error:
            raise IntegrityError(f"label {number} in {self._file.path}: {error}") from error

    def _rows(self, columns: str, steps: tuple[int, int]) -> list[tuple[Any, ...]]:
        if not self._file.path.exists():
            return []
        query = f"SELECT {columns} FROM labels {_IN_STEPS}"  # noqa: S608 - the columns are ours
        with self._file.reading() as connection:
            return connection.execute(query, steps).fetchall()


def _end(before: int | None) -> int:
    return 2**62 if before is None else before
