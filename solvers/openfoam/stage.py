"""Runs one command of a case and watches its log.

The command stays in the session of the solve, so that the supervisor ends it with everything else,
MPI ranks included, and it dies with the solve (`solvers.processes.tied`). Its output goes to a
file: a pipe would keep whoever reads it waiting for what the command leaves behind.
"""

import os
import re
import select
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from solvers.openfoam.command import Role
from solvers.openfoam.log import Log
from solvers.processes import tied
from solvers.signals import ended_below

_LOOK_SECONDS = 0.5
_FIRST_LOOK_SECONDS = 0.02  # a short program is looked at, too
_GRACE_SECONDS = 3.0
_WARNINGS = 5  # that are recorded; the log has them all


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended.

    Attributes:
        name: the program.
        role: what it was for.
        exit_code: its exit code; negative is the signal that ended it.
        stopped: why it was ended here, before its time; empty where it ended by itself.
        wall_seconds: how long it ran.
        cpu_seconds: processor seconds of it and of its children.
        peak_memory: largest resident size seen of it and its children together, in bytes. The
            kernel's own account of a child counts the memory of the process that forked it.
        log: what its log says.
        log_file: where its log is.
    """

    name: str
    role: Role
    exit_code: int
    stopped: str
    wall_seconds: float
    cpu_seconds: float
    peak_memory: int
    log: Log
    log_file: Path

    @property
    def signal(self) -> str:
        """Name of the signal that ended it, or a rank of it; empty without one."""
        return ended_below(self.exit_code)

    @property
    def facts(self) -> dict[str, object]:
        """What is recorded of it, as JSON."""
        return {
            "command": self.name,
            "exit_code": self.exit_code,
            "signal": self.signal,
            "wall_seconds": round(self.wall_seconds, 3),
            "cpu_seconds": round(self.cpu_seconds, 3),
            "peak_memory": self.peak_memory,
            "log": self.log_file.name,
            "warnings": self.log.warnings[:_WARNINGS],
        }


def run_stage(
    words: Sequence[str],
    case: Path,
    role: Role,
    environment: Mapping[str, str],
    *,
    name: str,
    heartbeat_seconds: float,
) -> Ended:
    """Run one command to its end, or to a sign that it will come to none.

    Args:
        words: the program and its arguments.
        case: the case's directory, where it runs and logs.
        role: what it is for.
        environment: all of its environment.
        name: what its log is called after.
        heartbeat_seconds: how long its log may stand still.
    """
    log_file = _log_file(case, name)
    started = time.monotonic()
    with log_file.open("wb") as output:
        process = _start(words, case, environment, output)
    watched = _Watched(process)
    stopped = watched.until_end(log_file, heartbeat_seconds)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return Ended(
        name=name,
        role=role,
        exit_code=process.returncode,
        stopped=stopped,
        wall_seconds=time.monotonic() - started,
        cpu_seconds=usage.ru_utime + usage.ru_stime,
        peak_memory=watched.peak_memory,
        log=watched.log,
        log_file=log_file,
    )


def _log_file(case: Path, name: str) -> Path:
    """Return a new log's place: a program that runs twice has two."""
    first = case / f"log.{name}"
    others = (case / f"log.{name}.{number}" for number in range(2, 1000))
    return first if not first.exists() else next(file for file in others if not file.exists())


def _start(
    words: Sequence[str], case: Path, environment: Mapping[str, str], output: IO[bytes]
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        tied(words),
        cwd=case,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
    )


class _Watched:
    """A command that runs: its log and its memory."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self.log = Log()
        self.peak_memory = 0

    def until_end(self, file: Path, heartbeat: float) -> str:
        """Read the log until the command ends; end it where going on is in vain, and say why."""
        handle = os.pidfd_open(self._process.pid)
        grown, stopped, pause = time.monotonic(), "", _FIRST_LOOK_SECONDS
        try:
            with _Follower(file) as follower:
                while not _has_ended(handle, pause):
                    pause = min(2 * pause, _LOOK_SECONDS)
                    self.peak_memory = max(self.peak_memory, _memory_of(self._process.pid))
                    if follower.read_into(self.log):
                        grown = time.monotonic()
                    if stopped := self._in_vain(time.monotonic() - grown, heartbeat):
                        self._end(handle)
                        break
                follower.read_into(self.log, whole=True)
        finally:
            os.close(handle)
        return stopped

    def _in_vain(self, silent: float, heartbeat: float) -> str:
        if self.log.not_finite:
            return f"a residual is not finite: {self.log.not_finite}"
        if silent > heartbeat:
            return f"its log stood still for {silent:.0f} s: a rank or the solver hangs"
        return ""

    def _end(self, handle: int) -> None:
        """End it politely, then by force; mpirun ends its ranks when it is asked politely."""
        self._process.terminate()
        if not _has_ended(handle, _GRACE_SECONDS):
            self._process.kill()


def _has_ended(handle: int, seconds: float) -> bool:
    ready, _, _ = select.select([handle], [], [], seconds)
    return bool(ready)


def _memory_of(process: int) -> int:
    """Return the largest resident sizes of a process and its descendants, in bytes."""
    try:
        place = Path(f"/proc/{process}")
        status = (place / "status").read_text()
        children = (place / "task" / str(process) / "children").read_text().split()
    except OSError:  # it has just ended
        return 0
    found = re.search(r"VmHWM:\s*(\d+) kB", status)
    own = int(found.group(1)) * 1024 if found else 0
    return own + sum(_memory_of(int(child)) for child in children)


class _Follower:
    """Reads what was added to a file since it was read last."""

    def __init__(self, file: Path) -> None:
        self._stream = file.open("rb")
        self._rest = b""

    def read_into(self, log: Log, *, whole: bool = False) -> bool:
        """Give the log its new lines; say whether the file has grown."""
        has_grown = False
        while block := self._stream.read(1 << 16):
            has_grown = True
            *lines, self._rest = (self._rest + block).split(b"\n")
            log.take(line.decode(errors="replace") for line in lines)
        if whole and self._rest:
            log.take([self._rest.decode(errors="replace")])
        return has_grown

    def __enter__(self) -> "_Follower":
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()
