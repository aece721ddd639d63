"""A file appears whole or not at all: the one place where files are published."""

import hashlib
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from pools.errors import CampaignError

_BLOCK = 1 << 20


@contextmanager
def publish(path: Path) -> Iterator[Path]:
    """Yield a temporary name beside `path`; on a clean exit it becomes `path`, durably.

    Temporary name in the same directory, fsync of the file, rename, fsync of the directory. On an
    exception the temporary file is removed and `path` stays as it was.

    Raises:
        CampaignError: the directory cannot be written, or the disk is full.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        _fsync(temporary)
        temporary.replace(path)
        _fsync(path.parent)
    except (OSError, RuntimeError) as error:
        _remove(temporary)
        if (why := _system_error(error)) is None:
            raise
        raise CampaignError(
            f"cannot write {path}: {why}; make the directory writable or free some disk space, "
            "then run the same command again: nothing already solved is lost"
        ) from error
    except BaseException:
        _remove(temporary)
        raise


def publish_bytes(path: Path, content: bytes) -> None:
    """Write `content` to `path`, whole or not at all."""
    with publish(path) as temporary:
        temporary.write_bytes(content)


def publish_json(path: Path, content: Any) -> None:  # noqa: ANN401 - whatever json accepts
    """Write `content` as indented JSON with sorted keys, whole or not at all."""
    text = json.dumps(content, indent=2, sort_keys=True, allow_nan=False)
    publish_bytes(path, f"{text}\n".encode())


def publish_move(source: Path, target: Path) -> None:
    """Rename the finished file `source` to `target` on the same file system, durably."""
    _fsync(source)
    source.replace(target)
    _fsync(target.parent)


def digest(path: Path) -> str:
    """Return the SHA-256 of a file's content, in hexadecimal."""
    sha = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK):
            sha.update(block)
    return sha.hexdigest()


def _system_error(error: OSError | RuntimeError) -> str | None:
    """Say what the system refused; None where it was something else.

    HDF5 tells of a full disk as a RuntimeError when it closes a file.
    """
    if isinstance(error, OSError):
        return error.strerror or str(error)
    found = re.search(r"errno = \d+, error message = '([^']*)'", str(error))
    return found.group(1) if found else None


def _remove(temporary: Path) -> None:
    with suppress(OSError):  # it was never made, or the disk is as broken as when it was
        temporary.unlink()


def _fsync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
