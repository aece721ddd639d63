"""What stays of a solved sample's attempts.

Only what is inside the attempts' directories is deleted, by names relative to directories that are
held open: a link, to whatever and whenever it is put there, is never followed.
"""

import logging
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from pools.outcome import Outcome
from pools.record import SampleRecord
from solvers import lease, recovery, verdict

Keep = Literal["all", "failed", "solution"]

_RECORDS = frozenset({lease.FILE, recovery.FILE, verdict.FILE})  # what recovery needs
_LOG = logging.getLogger("solverloop")


def prune(directory: Path, record: SampleRecord, keep: Keep) -> None:
    """Delete what the attempts at a solved sample left, but for their records.

    Doing it again after being killed on the way deletes the rest. What cannot be deleted, or is a
    link in place of a directory, is left alone with a warning: the solution counts in any case.

    Args:
        directory: the sample's directory.
        record: the sample's record; nothing is deleted of one without a solution.
        keep: what stays.
    """
    if not (names := _to_go(record, keep)):
        return
    try:
        with _opened(directory) as sample:
            for name in names:
                _empty(name, sample)
    except OSError as error:
        _LOG.warning(
            "label.keep is %s, but of %s not all could be deleted: %s; a link in place of a "
            "directory is never followed. Put the directory itself there, or set keep to all",
            *(keep, directory, error),
        )


def _to_go(record: SampleRecord, keep: Keep) -> list[str]:
    """Return the names of the attempts that go."""
    if record.solution is None or keep == "all":
        return []
    solved = [a.directory for a in record.attempts if a.outcome is Outcome.OK]
    names = solved[-1:] if keep == "failed" else [a.directory for a in record.attempts]
    return [name for name in names if re.fullmatch(r"attempt-\d+", name)]


def _empty(name: str, sample: int) -> None:
    """Delete all but the records in an attempt's directory; it may be gone already."""
    if name not in os.listdir(sample):
        return
    with _opened(name, sample) as attempt:
        with os.scandir(attempt) as entries:
            found = [(e.name, e.is_dir(follow_symlinks=False)) for e in entries]
        for inner, is_directory in found:
            if is_directory:
                shutil.rmtree(inner, dir_fd=attempt)
            elif inner not in _RECORDS:
                os.unlink(inner, dir_fd=attempt)


@contextmanager
def _opened(path: Path | str, parent: int | None = None) -> Iterator[int]:
    """Hold a directory open; one that is a link is refused."""
    held = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=parent)
    try:
        yield held
    finally:
        os.close(held)
