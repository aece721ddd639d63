"""The append-only record that resumption reads: one JSON line per finished phase."""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from pools.errors import CampaignError, IntegrityError
from pools.files import digest


@dataclass(frozen=True, slots=True)
class Entry:
    """One finished phase.

    Attributes:
        step: the step that the phase belongs to.
        phase: the phase's name.
        seed: seed of the phase's random draws.
        artifacts: SHA-256 digests of the files it made, by path relative to the campaign.
        seconds: wall time that the phase took.
        summary: what a reader of the ledger wants to know, as JSON.
        finished_at: when, as ISO 8601 in UTC.
    """

    step: int
    phase: str
    seed: int
    artifacts: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    summary: Mapping[str, Any] = field(default_factory=dict)
    finished_at: str = ""

    def verify(self, root: Path) -> None:
        """Check that every artefact is there and is the one that was recorded.

        Raises:
            IntegrityError: one is not.
        """
        for name, expected in self.artifacts.items():
            if problem := _problem(root / name, expected):
                raise IntegrityError(
                    f"{root / name} {problem} (made by {self.phase} of step {self.step}); run "
                    f"`solverloop check {root}`: it says what is damaged and makes again "
                    "what can be made again"
                )


class Ledger:
    """The ledger of one campaign.

    A line that was cut short by a kill is as if it had never been: the phase is done again.

    Args:
        path: the ledger's file; it need not exist yet.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def entries(self) -> list[Entry]:
        """Return all entries, in the order in which the phases finished.

        Raises:
            IntegrityError: a line other than a cut last one is not an entry.
        """
        lines = self._content().split(b"\n")[:-1]  # what follows the last newline was cut short
        return [self._parse(number, line) for number, line in enumerate(lines, start=1)]

    def find(self, step: int, phase: str) -> Entry | None:
        """Return the entry of this phase, or None while it is not finished."""
        found = [e for e in self.entries() if (e.step, e.phase) == (step, phase)]
        return found[-1] if found else None

    def append(self, entry: Entry) -> None:
        """Add one entry durably; it is what makes the phase finished.

        Raises:
            CampaignError: the file cannot be written.
        """
        line = json.dumps(asdict(entry), sort_keys=True, allow_nan=False).encode() + b"\n"
        whole = len(self._content().rpartition(b"\n")[0])
        try:
            with self.path.open("r+b" if self.path.exists() else "w+b") as file:
                file.truncate(whole + 1 if whole else 0)
                file.seek(0, os.SEEK_END)
                file.write(line)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise CampaignError(
                f"cannot write the ledger {self.path}: {error.strerror or error}; make it "
                "writable or free some disk space, then run the same command again: nothing "
                "solved is lost"
            ) from error

    def _content(self) -> bytes:
        return self.path.read_bytes() if self.path.exists() else b""

    def _parse(self, number: int, line: bytes) -> Entry:
        try:
            entry = Entry(**json.loads(line))
            _check_names(entry.artifacts)
        except (AttributeError, ValueError, TypeError) as error:
            raise IntegrityError(
                f"{self.path} line {number} is not an entry of the ledger ({error}); restore the "
                "file from a backup, or cut it before that line: later phases are then done "
                "again, and samples that have their solution are not solved twice"
            ) from error
        return entry


def _check_names(artifacts: Mapping[str, str]) -> None:
    """Refuse a name that leads out of the campaign: what is damaged is written anew there."""
    for path in map(PurePosixPath, artifacts.keys()):
        if path.is_absolute() or ".." in path.parts:
            raise ValueError(f"{path} is outside the campaign")


def _problem(path: Path, expected: str) -> str:
    if not path.is_file():
        return "is missing"
    return "" if digest(path) == expected else "differs from what the ledger recorded"
