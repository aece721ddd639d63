"""When two items of queues are the same: by what they hold, not by which object they are."""

import hashlib
import struct
import sys
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from pools.encoding import encode

_Write = Callable[[bytes], None]


def identity(item: object) -> str:
    """Return a hash of an item's content, the same in every process.

    Raises:
        UsageError: it holds something that has no encoding.
    """
    digest = hashlib.sha256()
    _add(item, digest.update)
    return digest.hexdigest()[:32]


def _add(item: Any, write: _Write) -> None:  # noqa: ANN401 - whatever travels
    """Write an item's type and content; what is common is written without being encoded."""
    kind = type(item)
    if kind in _PLAIN:
        _part(write, kind.__name__, _PLAIN[kind](item))
    elif kind in {tuple, list}:
        _part(write, kind.__name__, str(len(item)).encode())
        for each in item:
            _add(each, write)
    elif kind is dict:
        _mapping(item, write)
    elif kind is np.ndarray and item.dtype.kind in "biuf":
        _part(write, f"array {item.dtype} {item.shape}", np.ascontiguousarray(item).tobytes())
    elif (torch := sys.modules.get("torch")) is not None and kind is torch.Tensor:
        _tensor(item, write)
    else:
        _part(write, "encoded", encode(item))


def _mapping(item: Mapping[Any, Any], write: _Write) -> None:
    """Write a mapping, in any order of its keys."""
    _part(write, "dict", str(len(item)).encode())
    for name, value in sorted(
        ((identity(key), value) for key, value in item.items()), key=lambda pair: pair[0]
    ):
        write(name.encode())
        _add(value, write)


def _tensor(item: Any, write: _Write) -> None:  # noqa: ANN401 - torch is not imported
    if (dtype := str(item.dtype)) in _DTYPES:
        _part(write, f"{dtype} {tuple(item.shape)}", item.numpy(force=True).tobytes())
    else:
        _part(write, "encoded", encode(item))


def _part(write: _Write, kind: str, content: bytes) -> None:
    """Write a part so that no two ways of cutting give the same bytes."""
    write(f"{kind} {len(content)}:".encode())
    write(content)


_DTYPES = frozenset(f"torch.{name}" for name in ("float32", "float64", "int64", "int32", "bool"))
_PLAIN: Mapping[type, Callable[[Any], bytes]] = {
    type(None): lambda _: b"",
    bool: lambda item: str(item).encode(),
    int: lambda item: str(item).encode(),
    float: lambda item: struct.pack("<d", item),
    str: lambda item: str(item).encode(),
    bytes: bytes,
}
