"""Finds and ends the processes of a solve, wherever they went.

A process belongs to a solve when it is in the solve's session, or when its environment holds the
token of the solve or of its supervisor: children inherit it and keep it through `setsid` and the
death of their parents. Only one that leaves the session and clears its environment as well is not
found.
"""

import ctypes
import os
import shutil
import signal
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

MARK = "SOLVERLOOP_SOLVE"
"""The environment variable that holds the token of a supervisor."""
ATTEMPT = "SOLVERLOOP_ATTEMPT"
"""The environment variable that holds the token of one attempt, in what the solve starts."""
_LIBRARY = ctypes.CDLL(None)  # here: between fork and exec there must be no more than a call
_PR_SET_PDEATHSIG = 1
_PASSES = 50
_PAUSE_SECONDS = 0.01
_KERNEL_THREAD = 0x00200000  # PF_KTHREAD, of the flags


@dataclass(frozen=True, slots=True)
class Processes:
    """The processes of one supervisor or one attempt, without the one that asks.

    Attributes:
        token: what their environment holds under `mark`.
        session: the session of the solve; None where it is not known.
        spared: processes that do not count.
        mark: the environment variable that tells them.
    """

    token: str
    session: int | None = None
    spared: frozenset[int] = frozenset()
    mark: str = MARK

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

    def end_politely(self, grace_seconds: float) -> None:
        """Ask them to end, and kill what is left when the grace is over."""
        self.signal(signal.SIGTERM)
        deadline = time.monotonic() + grace_seconds
        while self.find() and time.monotonic() < deadline:
            time.sleep(_PAUSE_SECONDS)
        self.end()

    def _belongs(self, process: Path) -> bool:
        try:
            state, _, _, session, _, _, flags, *_ = _stat(process)
            if state == "Z" or int(flags) & _KERNEL_THREAD:
                return False
            if int(session) == self.session:
                return True
            environment = _environment(process).split(b"\0")
        except (OSError, ValueError):  # it is gone, or another user's
            return False
        return f"{self.mark}={self.token}".encode() in environment


def tie_to_parent(number: signal.Signals, parent: int) -> None:
    """Have the kernel send this process a signal when its parent dies, or end it if it is late."""
    _LIBRARY.prctl(_PR_SET_PDEATHSIG, number)
    if os.getppid() != parent:  # it died before the kernel could tell
        os._exit(1)


def dies_with_parent(number: signal.Signals = signal.SIGTERM) -> Callable[[], None] | None:
    """Return a `preexec_fn` by which a command dies when the solve that starts it does.

    The kernel then sends the signal, whatever ended the solve. It tells the command alone, not
    what that starts: TERM lets an `mpirun` end its ranks; whatever else is left, the guard of the
    supervisor ends. `setpriv --pdeathsig` would leave a gap: where the parent dies before it asks
    for the signal, none comes, and here that is looked at. A `preexec_fn` is hazardous where other
    threads may hold locks at the fork. A solve has one thread; in a process with more, which is
    not a solve, None is returned: nothing is tied. It has Python fork the whole process, which
    takes long where that is big: see `tied`.
    """
    if len(list(Path("/proc/self/task").iterdir())) > 1:
        return None
    return partial(tie_to_parent, number, os.getpid())


def tied(words: Sequence[str], number: signal.Signals = signal.SIGTERM) -> list[str]:
    """Return the words of a command that dies when the process that starts it does.

    As `dies_with_parent`, for big processes: on two busy cores a `preexec_fn` added 8 to 40 ms a
    command in a process that holds VTK (140 MB), and `setpriv` 1 to 3 in a small one. Its gap (a
    parent that dies before `setpriv` has asked) is left to the guard, as is everything where there
    is no `setpriv`.

    Args:
        words: the program and its arguments.
        number: the signal; by TERM an `mpirun` ends its ranks.
    """
    if (found := shutil.which("setpriv")) is None:
        return list(words)
    return [found, "--pdeathsig", number.name.removeprefix("SIG"), "--", *words]


def started_at(process: int) -> int | None:
    """Return when a process started, in clock ticks since boot; None where it is no more."""
    try:
        state, *fields = _stat(Path(f"/proc/{process}"))
    except OSError:
        return None
    return None if state in {"Z", "X"} else int(fields[18])


def _stat(process: Path) -> list[str]:
    """Return the fields of a process's `stat` that follow its name: state, parent, group, ..."""
    return (process / "stat").read_text().rpartition(")")[2].split()


def _environment(process: Path) -> bytes:
    """Return the environment of a process; where it is just beginning a program, the program's.

    The kernel shows none between the old one and the new one: for some milliseconds on a busy
    machine, and after whoever started the process was told that it runs.
    """
    for _ in range(_PASSES):
        if content := (process / "environ").read_bytes():
            return content
        begin, end = _stat(process)[47:49]  # where in its memory it lies; 0 while there is none
        if begin == end != "0":
            break
        time.sleep(_PAUSE_SECONDS)
    return b""


def _send(process: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.kill(process, number)
