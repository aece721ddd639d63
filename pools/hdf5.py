"""An HDF5 file that is read holds all that is read: links to other files are refused.

An external link, external storage or a virtual dataset would make a file that somebody else wrote
show what is in other files of this machine.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py


@contextmanager
def opened(path: Path) -> Iterator[h5py.File]:
    """Open a file to read it.

    Raises:
        OSError: it is missing or is not HDF5.
        ValueError: a part of it is elsewhere.
    """
    with h5py.File(path, "r") as file:
        _check_links("/", file)
        file.visititems(_check)
        yield file


def _check(name: str, item: h5py.Group | h5py.Dataset) -> None:
    if isinstance(item, h5py.Group):
        _check_links(name, item)
    elif item.external or item.is_virtual:
        raise ValueError(f"the values of {name} are in another file, which is not read")


def _check_links(name: str, group: h5py.Group) -> None:
    for inner in group:
        if not isinstance(group.get(inner, getlink=True), h5py.HardLink):
            raise ValueError(f"{inner} in {name} is a link, which is not followed")  # noqa: TRY004 - the file's fault
