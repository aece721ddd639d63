"""OpenFOAM's dimension sets as units: `[0 2 -2 0 0 0 0]` is m2/s2."""

import gzip
import re
from collections.abc import Sequence
from pathlib import Path
from types import MappingProxyType

_BASES = ("kg", "m", "s", "K", "mol", "A", "cd")
_NAMED = MappingProxyType(
    {
        (1, -1, -2, 0, 0, 0, 0): "Pa",
        (1, 1, -2, 0, 0, 0, 0): "N",
        (1, 2, -2, 0, 0, 0, 0): "J",
        (1, 2, -3, 0, 0, 0, 0): "W",
        (1, -1, -1, 0, 0, 0, 0): "Pa s",
    }
)
_SET = re.compile(rb"^\s*dimensions\s*\[([^\]]*)\]", re.MULTILINE)
_CLASS = re.compile(rb"^\s*class\s+(\w+)\s*;", re.MULTILINE)
_HEADER = 16_384  # bytes of a field's file in which its class and dimension set stand


def unit_of(exponents: Sequence[float]) -> str:
    """Return the unit of a dimension set: powers of kg, m, s, K, mol, A and cd."""
    padded = (*exponents, *[0.0] * (len(_BASES) - len(exponents)))
    if padded in _NAMED:
        return _NAMED[padded]  # type: ignore[index]  # equal as numbers
    over = [_power(base, e) for base, e in zip(_BASES, padded, strict=True) if e > 0]
    under = [_power(base, -e) for base, e in zip(_BASES, padded, strict=True) if e < 0]
    below = f"({' '.join(under)})" if len(under) > 1 else "".join(under)
    return " ".join(over or ["1"]) + (f"/{below}" if under else "")


def unit_in(file: Path) -> str | None:
    """Return the unit of a field's file; None where its dimension set is not plain numbers."""
    if (found := _SET.search(_head(file))) is None:
        return None
    try:
        return unit_of([float(word) for word in found.group(1).split()])
    except ValueError:
        return None


def class_in(file: Path) -> str:
    """Return the class of a field's file, such as volVectorField; empty where it has none."""
    found = _CLASS.search(_head(file))
    return found.group(1).decode() if found else ""


def field_file(directory: Path, field: str) -> Path | None:
    """Return a field's file in a time directory, compressed or not; None where there is none."""
    places = (directory / field, directory / f"{field}.gz")
    return next((place for place in places if place.is_file()), None)


def _head(file: Path) -> bytes:
    with gzip.open(file) if file.suffix == ".gz" else file.open("rb") as stream:
        return stream.read(_HEADER)


def _power(base: str, exponent: float) -> str:
    return base if exponent == 1 else f"{base}{exponent:g}"
