"""A process that outlives a supervisor by a moment, to end what it leaves behind.

A supervisor that is killed can end nothing, and its parent may be killed with it. The solve itself
dies with the supervisor (PR_SET_PDEATHSIG), but the kernel tells only a process's own children: a
script's solver, or the ranks of an `mpirun`, would live on. The guard waits for the end of a pipe
that only the supervisor holds, which comes however the supervisor dies, then ends all that bears
the supervisor's mark or is in the session of its solve.
"""

import os
import signal
from dataclasses import dataclass

from solvers.processes import Processes


@dataclass(frozen=True, slots=True)
class Guard:
    """The guard of this process.

    Attributes:
        pid: its process.
    """

    pid: int
    _pipe: int

    @classmethod
    def start(cls, token: str) -> "Guard":
        """Fork the guard of this process, whose token this is; fork early, so that it is small."""
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(writing)
            _guard(reading, token)
        os.close(reading)
        return cls(child, writing)

    def watch(self, session: int) -> None:
        """Tell it which session to end; 0 for none."""
        os.write(self._pipe, f"{session}\n".encode())

    def leave(self) -> None:
        """Let go of the pipe in a fork, whose life the guard must not wait for."""
        os.close(self._pipe)


def _guard(reading: int, token: str) -> None:
    """Wait for the end of the pipe, end what is left, and exit."""
    try:
        os.setsid()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        _let_go()
        session = 0
        with os.fdopen(reading) as lines:
            for line in lines:
                session = int(line)
        Processes(token, session or None).end()
    finally:
        os._exit(0)


def _let_go() -> None:
    """Hold none of the supervisor's streams open: their end tells others that it died."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nothing, stream)
