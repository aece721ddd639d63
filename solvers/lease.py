"""Who solves in an attempt's directory: a file that keeps a second solve out of it.

It outlives every process, so that whoever finds an unfinished attempt knows which process to look
for, and whether the process with that number is still the same one.
"""

import json
import os
import socket
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self
from uuid import uuid4

from pydantic import TypeAdapter, ValidationError

from solvers.processes import ATTEMPT, Processes, started_at

FILE = "lease.json"
_BOOT = Path("/proc/sys/kernel/random/boot_id")


class HeldError(Exception):
    """Another solve has the directory."""


@dataclass(frozen=True, slots=True)
class Lease:
    """The process that solves in a directory.

    Attributes:
        pid: its number.
        session: the session that it leads or is in.
        started: when it started, in the kernel's clock ticks since boot.
        boot: identity of the boot of the machine.
        host: name of the machine.
        token: what it and its children hold in their environment under `ATTEMPT`.
    """

    pid: int
    session: int
    started: int
    boot: str
    host: str
    token: str

    @classmethod
    def take(cls, directory: Path) -> Self:
        """Take the directory for this process, and mark the environment of its children.

        Raises:
            HeldError: another solve took it before, alive or not.
        """
        pid, token = os.getpid(), uuid4().hex
        lease = cls(
            pid=pid,
            session=os.getsid(0),
            started=started_at(pid) or 0,
            boot=_boot(),
            host=socket.gethostname(),
            token=token,
        )
        try:
            file = os.open(directory / FILE, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
        except FileExistsError:
            raise HeldError(_refusal(directory)) from None
        with os.fdopen(file, "w") as stream:
            stream.write(json.dumps(asdict(lease), indent=2) + "\n")
            stream.flush()
            os.fsync(stream.fileno())
        os.environ[ATTEMPT] = token
        return lease

    @classmethod
    def read(cls, directory: Path) -> "Lease | None":
        """Return the lease of this directory; None where no solve began or none is readable."""
        try:
            return _AS_JSON.validate_json((directory / FILE).read_bytes())
        except (OSError, ValidationError):
            return None

    @property
    def is_held(self) -> bool:
        """Whether the very process that took it still runs, on this machine."""
        return self.boot == _boot() and started_at(self.pid) == self.started

    def end(self, grace_seconds: float) -> bool:
        """End the solve and all that it started: politely, then by force.

        A process that only has the same number, on another boot or machine, is left alone.

        Returns:
            Whether anything still ran.
        """
        if self.boot != _boot():
            return False
        session = self.session if self.is_held else None
        processes = Processes(self.token, session, mark=ATTEMPT)
        if not processes.find():
            return False
        processes.end_politely(grace_seconds)
        return True


def _boot() -> str:
    return _BOOT.read_text().strip()


def _refusal(directory: Path) -> str:
    lease = Lease.read(directory)
    holder = f"process {lease.pid} on {lease.host}" if lease else "another process"
    return f"{directory} belongs to {holder}: every attempt has a directory of its own"


_AS_JSON = TypeAdapter(Lease)  # built once: building one takes milliseconds
