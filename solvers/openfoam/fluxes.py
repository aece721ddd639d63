"""The mass balance of a written case, from the fluxes that the solver itself conserves.

Velocities of the patches would not do: they differ from the fluxes by the discretisation's error.
"""

import gzip
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from solvers.openfoam.dimensions import field_file

Array = NDArray[np.float64]

_PATCH = re.compile(rb"^\s*([\w.:-]+)\s*\{([^{}]*)\}", re.MULTILINE)
_FACES = re.compile(rb"nFaces\s+(\d+)\s*;")
_TYPE = re.compile(rb"\btype\s+(\w+)\s*;")
_BLOCK = re.compile(rb"([\w.:-]+)\s*\{\s*type\s+\w+\s*;")
_VALUE = re.compile(rb"value\s+(?:uniform\s+([^\s;]+)|nonuniform\s+List<scalar>\s*(\d+)\s*\()")


@dataclass(frozen=True, slots=True)
class Patch:
    """A patch of a written mesh: its name, type and number of faces."""

    name: str
    type: str
    faces: int


def patches_of(case: Path) -> list[Patch]:
    """Return the patches of a case's mesh; none where it has no mesh."""
    file = case / "constant" / "polyMesh" / "boundary"
    if not file.is_file():
        return []
    body = file.read_bytes().partition(b"(")[2]
    found = []
    for match in _PATCH.finditer(body):
        faces, kind = _FACES.search(match.group(2)), _TYPE.search(match.group(2))
        if faces is not None:
            name = kind.group(1).decode() if kind else ""
            found.append(Patch(match.group(1).decode(), name, int(faces.group(1))))
    return found


def imbalance(case: Path, time: Path) -> float | None:
    """Return the net flux through all patches over the flux through them.

    Args:
        case: the case's directory.
        time: a time directory of it, with the flux `phi`.

    Returns:
        None where there is no flux to be read, or nothing flows through.
    """
    file = field_file(time, "phi")
    if file is None:
        return None
    faces = {patch.name: patch.faces for patch in patches_of(case)}
    fluxes = [np.zeros(0), *_fluxes(_content(file), faces)]
    every = np.concatenate(fluxes)
    through = float(np.abs(every).sum()) / 2
    return abs(float(every.sum())) / through if through > 0 else None


def _fluxes(content: bytes, faces: dict[str, int]) -> Iterator[Array]:
    """Yield the fluxes of each patch; a list of numbers is text or as in memory."""
    is_binary = b"binary" in content.partition(b"}")[0]
    at = content.rfind(b"boundaryField")
    while (block := _BLOCK.search(content, at)) is not None:
        at = block.end()
        value, end = _VALUE.search(content, at), content.find(b"}", at)
        name = block.group(1).decode()
        if value is None or name not in faces or end < value.start():
            continue
        if value.group(1) is not None:
            yield np.full(faces[name], float(value.group(1)))
            continue
        values, at = _list(content, value.end(), int(value.group(2)), is_binary=is_binary)
        yield values


def _list(content: bytes, start: int, count: int, *, is_binary: bool) -> tuple[Array, int]:
    if is_binary:
        size = count * 8
        return np.frombuffer(content, "<f8", count, start), start + size
    end = content.index(b")", start)
    return np.array(content[start:end].split(), dtype=np.float64), end


def _content(file: Path) -> bytes:
    return gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
