"""Begins a case from the solved case of another sample.

On a mesh of the same number of cells the inner values are copied as they are; else OpenFOAM's own
mapFields interpolates. The boundary values stay the new case's.
"""

import re
import shlex
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pools.errors import UsageError
from solvers.openfoam.command import Command
from solvers.openfoam.dimensions import field_file

_CELLS = re.compile(rb"nCells:\s*(\d+)")
_FORMAT = re.compile(rb"(\bformat\s+)(ascii|binary)(\s*;)")
_INNER = re.compile(rb"^internalField\b", re.MULTILINE)
_BOUNDARY = re.compile(rb"^boundaryField\b", re.MULTILINE)


def cells_of(case: Path) -> int | None:
    """Return how many cells a case's mesh has; None where it has no mesh."""
    file = case / "constant" / "polyMesh" / "owner"
    if not file.is_file():
        return None
    with file.open("rb") as stream:
        found = _CELLS.search(stream.read(4096))
    return int(found.group(1)) if found else None


def last_time(case: Path) -> Path | None:
    """Return a case's last time directory after 0; None where nothing was written."""
    times = {number: place for place in case.iterdir() if (number := _time(place)) is not None}
    return times[max(times)] if times and max(times) > 0 else None


def begin_from(source: Path, case: Path) -> Command | None:
    """Put the inner values of another solved case into this one's initial fields.

    Args:
        source: a solved case.
        case: this case, with its mesh.

    Returns:
        The command that does it where the meshes differ; None where it is done already.
    """
    initials = sorted(file for file in (case / "0").iterdir() if file.is_file())
    if cells_of(source) != cells_of(case) or any(_repeats_inner(file) for file in initials):
        place = shlex.quote(str(source))
        return Command(run=f"mapFields {place} -consistent -sourceTime latestTime", role="prepare")
    solved = last_time(source)
    for initial in initials:
        written = None if solved is None else field_file(solved, initial.name)
        if written is not None and written.suffix != ".gz":
            initial.write_bytes(_with_inner(initial.read_bytes(), written.read_bytes()))
    return None


def put_inner(initial: Path, uniform: str, values: NDArray[np.float64]) -> None:
    """Give an initial field other inner values, as text.

    Args:
        initial: the field's file.
        uniform: its own inner value, which patches that take it by name keep.
        values: one a cell, shape (cells,) or (cells, 3).

    Raises:
        UsageError: the file is compressed, or its parts do not begin lines.
    """
    before = initial.read_bytes() if initial.is_file() else b""
    content = before.replace(b"$internalField", uniform.encode())
    if _span(content) is None:
        raise UsageError(
            f"predicted fields cannot be put into the template's 0/{initial.name}: it must be "
            "there uncompressed, with internalField and boundaryField each at the beginning of "
            "a line; rewrite it so, or query with hybrid, which needs no residuals"
        )
    initial.write_bytes(_with_inner(content, _inner_text(values).encode()))


def _inner_text(values: NDArray[np.float64]) -> str:
    """Return the part of a field's file that holds its inner values, with its format before."""
    kind = "scalar" if values.ndim == 1 else "vector"
    rows = "\n".join(_row_text(row) for row in values.tolist())
    return (
        f"format ascii;\ninternalField nonuniform List<{kind}> {len(values)}\n(\n{rows}\n);\n\n"
        "boundaryField\n"
    )


def _row_text(row: float | list[float]) -> str:
    return repr(row) if isinstance(row, float) else f"({' '.join(map(repr, row))})"


def case_of(provenance: Mapping[str, object]) -> Path | None:
    """Return the case that a solution came from; None where it is gone, or was kept in part."""
    case = Path(str(provenance.get("case", "")))
    is_whole = (case / "system" / "controlDict").is_file() and last_time(case) is not None
    return case if is_whole else None


def _repeats_inner(initial: Path) -> bool:
    """Whether a patch takes its values from the inner ones by name, which only fits one value."""
    return b"$internalField" in initial.read_bytes()


def _with_inner(initial: bytes, solved: bytes) -> bytes:
    """Return the initial field with the solved one's inner values, in the solved one's format."""
    here, there = _span(initial), _span(solved)
    kind = _FORMAT.search(solved)
    if here is None or there is None or kind is None:
        return initial
    head = _FORMAT.sub(rb"\g<1>" + kind.group(2) + rb"\g<3>", initial[: here[0]], count=1)
    return head + solved[there[0] : there[1]] + initial[here[1] :]


def _span(content: bytes) -> tuple[int, int] | None:
    inner = _INNER.search(content)
    boundaries = list(_BOUNDARY.finditer(content))
    return (inner.start(), boundaries[-1].start()) if inner and boundaries else None


def _time(place: Path) -> float | None:
    try:
        return float(place.name) if place.is_dir() else None
    except ValueError:
        return None
