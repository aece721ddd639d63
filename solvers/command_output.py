"""Reads numbers by key from the JSON or HDF5 file that a command wrote."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Reader = Callable[[str], Array]
"""Takes a key, with a `/` between the levels, and returns the numbers there."""

_SHOWN = 12  # keys that an error names


@contextmanager
def opened(file: Path) -> Iterator[Reader]:
    """Open a file of numbers; JSON is read whole, HDF5 key by key.

    Raises:
        ValueError: it is missing or cannot be read, or (from the reader) a key is missing or holds
            no numbers.
    """
    if not file.is_file():
        raise ValueError(f"there is no {file.name}")
    if file.suffix == ".json":
        yield partial(_from_json, file.name, _parse(file))
        return
    try:
        content = h5py.File(file, "r")
    except OSError as error:
        raise ValueError(f"{file.name} cannot be read as HDF5: {error}") from error
    with content:
        yield partial(_from_hdf5, file.name, content)


def _parse(file: Path) -> object:
    try:
        return json.loads(file.read_bytes())
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{file.name} cannot be read as JSON: {error}") from error


def _from_json(name: str, content: object, key: str) -> Array:
    place = content
    for part in key.split("/"):
        if not isinstance(place, Mapping) or part not in place:
            raise _missing(name, key, place if isinstance(place, Mapping) else ())
        place = place[part]
    try:
        return _numbers(np.asarray(place))
    except (ValueError, TypeError, OverflowError) as error:
        raise ValueError(f"{key} in {name} is not a number or an array of numbers") from error


def _from_hdf5(name: str, file: h5py.File, key: str) -> Array:
    if (found := file.get(key)) is None:
        raise _missing(name, key, file)
    try:
        return _numbers(found[()])  # a group refuses this
    except (OSError, TypeError, ValueError) as error:
        raise ValueError(f"{key} in {name} cannot be read as numbers: {error}") from error


def _numbers(values: Any) -> Array:  # noqa: ANN401 - whatever a file holds
    """Return values in double precision; what a file has no number for (null) is NaN."""
    array = np.asarray(values)
    if array.dtype.kind not in "iufO":  # text that looks like a number is none
        raise TypeError(f"they are of the type {array.dtype}")
    return array.astype(np.float64)


def _missing(name: str, key: str, there: Iterable[str]) -> ValueError:
    keys = list(there)
    shown = ", ".join(keys[:_SHOWN]) + ", ..." * (len(keys) > _SHOWN)
    return ValueError(f"{name} has no {key}; there is {shown or 'nothing'}")
