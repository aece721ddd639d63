"""A file system that is soon full, where mounting one is permitted."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


def mount(directory: Path, options: str) -> None:
    """Mount a file system in memory, or change the one that is there."""
    subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(directory)],
        check=True,
        capture_output=True,
    )


@contextmanager
def mounted(directory: Path, size: str) -> Iterator[Path]:
    """Mount a file system of this size; skip the test where that is not permitted."""
    directory.mkdir()
    try:
        mount(directory, f"size={size}")
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("mounting a small file system is not permitted here")
    yield directory
    subprocess.run(["umount", "--lazy", str(directory)], check=True)
