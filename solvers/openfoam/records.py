"""Records of function objects: the tables that OpenFOAM writes below `postProcessing`."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pools.errors import SolverloopError
from solvers.components import AXES, component_of

Array = NDArray[np.float64]

NOT_FOUND = 1e299
"""OpenFOAM writes -1e300 for a probe that lies outside the mesh."""

_BRACKETED = re.compile(r"\(([^()]*)\)")


class RecordError(SolverloopError):
    """A record is missing, or does not have what is asked of it."""


@dataclass(frozen=True, slots=True, eq=False)
class Record:
    """One table over time or iterations.

    Attributes:
        times: shape (t,).
        values: all numbers of each row after the time, shape (t, n).
        columns: the header's names of the columns after the time.
        widths: how many numbers each column holds: 3 for a vector.
        file: where it is from.
    """

    times: Array
    values: Array
    columns: tuple[str, ...]
    widths: tuple[int, ...]
    file: Path

    def column(self, wanted: str | int, component: str | None = None) -> Array:
        """Return a column's values, shape (t,).

        Args:
            wanted: the header's name, or the number with the time as 0.
            component: of a vector.

        Raises:
            RecordError: there is none such.
        """
        place = wanted - 1 if isinstance(wanted, int) else self._place(wanted)
        if not 0 <= place < len(self.widths):
            raise RecordError(
                f"{self.file.name} has the columns 0 to {len(self.widths)}, not {wanted}"
            )
        first, width = sum(self.widths[:place]), self.widths[place]
        values = self.values[:, first : first + width]
        if width == 1:
            return values[:, 0]
        if component not in {*AXES, "magnitude"}:
            raise RecordError(
                f"{self.columns[place]} of {self.file.name} is a vector; give its component"
            )
        return component_of(values, component)

    def _place(self, name: str) -> int:
        if name not in self.columns:
            raise RecordError(
                f"{self.file.name} has no column {name!r}; it has {', '.join(self.columns)}"
            )
        return self.columns.index(name)


@dataclass(frozen=True, slots=True)
class Records:
    """The records of a case that has run, each file read once however many quantities it holds.

    Attributes:
        case: the case's directory.
    """

    case: Path
    _read: dict[tuple[Path, ...], Record] = field(default_factory=dict, repr=False)

    def find(self, function: str, names: Sequence[str] = ()) -> Record:
        """Return the record of a function object.

        Args:
            function: the function object's name.
            names: the file's names, any of which will do; the only file if none is given.

        Raises:
            RecordError: there is none, or it cannot be read.
        """
        files = _files_of(self.case, function, names)
        if files not in self._read:
            self._read[files] = _joined([read_record(file) for file in files])
        return self._read[files]


def _files_of(case: Path, function: str, names: Sequence[str]) -> tuple[Path, ...]:
    """Return a record's files in the order of time; a run that was restarted has several."""
    place = case / "postProcessing" / function
    files = sorted(file for file in place.glob("*/*") if file.is_file())
    chosen = [file for file in files if not names or file.name in names]
    if not chosen:
        raise RecordError(_absent(case, function, names, files))
    if len({file.name for file in chosen}) > 1:
        found = ", ".join(sorted({file.name for file in chosen}))
        raise RecordError(f"the function object {function} wrote {found}; name one with `file`")
    return tuple(sorted(chosen, key=_start_of))


def read_record(file: Path) -> Record:
    """Read one table.

    Raises:
        RecordError: it holds no rows, or rows of different lengths.
    """
    header: list[str] = []
    rows: list[str] = []
    with file.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            (header if line.startswith("#") else rows).append(line.strip())
    rows = [row for row in rows if row]
    if not rows:
        raise RecordError(f"{file.name} of {file.parent.parent.name} holds no rows")
    widths = _widths(rows[0])
    values = _numbers(rows, file)
    columns = _columns(header, len(widths))
    return Record(values[:, 0], values[:, 1:], columns, widths, file)


def _numbers(rows: Sequence[str], file: Path) -> Array:
    """Return the table, shape (t, n + 1): its words all at once, which is three times faster."""
    words = "\n".join(rows).translate(_NO_BRACKETS).split()
    per_row = len(rows[0].translate(_NO_BRACKETS).split())
    try:
        return np.array(words, dtype=np.float64).reshape(len(rows), per_row)
    except ValueError as error:
        raise RecordError(
            f"{file.name} of {file.parent.parent.name} is not a table of numbers, one row a time; "
            f"it has rows such as {rows[-1][:80]!r}"
        ) from error


_NO_BRACKETS = str.maketrans("()", "  ")


def _widths(row: str) -> tuple[int, ...]:
    """Count the numbers of each column after the time; those in brackets belong together."""
    marked = _BRACKETED.sub(
        lambda found: f"#{len(found.group(1).split())}", row.replace("((", "(")
    )
    words = marked.replace(")", " ").split()[1:]
    return tuple(int(word[1:]) if word.startswith("#") else 1 for word in words)


def _columns(header: Sequence[str], count: int) -> tuple[str, ...]:
    """Return the columns' names: the header's last line, where it names them all."""
    words = (
        re.split(r"\t+|\s{2,}|\s+(?![^(]*\))", header[-1].lstrip("# ").strip()) if header else []
    )
    names = [word.strip() for word in words if word.strip()][1:]
    return tuple(names) if len(names) == count else tuple(str(i) for i in range(1, count + 1))


def _joined(records: Sequence[Record]) -> Record:
    """Put the parts of a run that was restarted one after the other."""
    last = records[-1]
    if len(records) == 1:
        return last
    same = [record for record in records if record.widths == last.widths]
    times = np.concatenate([record.times for record in same])
    values = np.concatenate([record.values for record in same])
    return Record(times, values, last.columns, last.widths, last.file)


def _start_of(file: Path) -> float:
    try:
        return float(file.parent.name)
    except ValueError:
        return 0.0


def _absent(case: Path, function: str, names: Sequence[str], files: Sequence[Path]) -> str:
    if files:
        wrote = ", ".join(sorted({file.name for file in files}))
        return f"the function object {function} wrote {wrote}, but not {' or '.join(names)}"
    places = sorted(place.name for place in (case / "postProcessing").glob("*"))
    return (
        f"the function object {function} wrote nothing; those that wrote are "
        f"{', '.join(places) or 'none'}: look for its name in system/controlDict and for warnings "
        "of its library in the log"
    )
