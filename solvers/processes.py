"""Finds and ends the processes of a solve, wherever they went.

A process belongs to a solve when it is in the solve's session, or when its environment holds the
token of the solve's supervisor: children inherit it and keep it through `setsid` and the death of
their parents. Only one that leaves the session and clears its environment as well is not found.
"""

import os
import signal
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

MARK = "SOLVERLOOP_SOLVE"
"""The environment variable that holds the token."""
_PASSES = 50
_PAUSE_SECONDS = 0.01


@dataclass(frozen=True, slots=True)
class Processes:
    """The processes of one supervisor, without the one that asks.

    Attributes:
        token: what their environment holds under `MARK`.
        session: the session of the solve; None where it is not known.
        spared: processes that do not count.
    """

    token: str
    session: int | None = None
    spared: frozenset[int] = frozenset()

    def find(self) -> list[int]:
        """Return those that run now."""
        numbers = [int(p.name) for p in Path("/proc").iterdir() if p.name.isdigit()]
        candidates = set(numbers) - self.spared - {os.getpid()}
        return [number for number in candidates if self._belongs(Path(f"/proc/{number}"))]

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to each of them."""
        for process in self.find():
            _send(process, number)

    def end(self) -> None:
        """Kill them until none is left; one may have forked while the others were being killed."""
        for _ in range(_PASSES):
            if not (left := self.find()):
                return
            for process in left:
                _send(process, signal.SIGKILL)
            time.sleep(_PAUSE_SECONDS)

    def _belongs(self, process: Path) -> bool:
        try:
            state, _, _, session, *_ = (process / "stat").read_text().rpartition(")")[2].split()
            if state == "Z":
                return False
            if int(session) == self.session:
                return True
            environment = (process / "environ").read_bytes().split(b"\0")
        except (OSError, ValueError):  # it is gone, or another user's
            return False
        return f"{MARK}={self.token}".encode() in environment


def _send(process: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.kill(process, number)
