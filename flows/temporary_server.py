"""Prefect's temporary server, which Ctrl-C must not end before the run does, and `kill -9` must.

A terminal sends the signal to every process of the group. The server would end at once, and the
run, which has to tell it how its tasks end, would wait for it in vain. A run that is killed can
end nothing: a guard does it, else the server would live on and hold the run's output open.
"""

import signal
import subprocess
from typing import Any

from prefect.server.api.server import SubprocessASGIServer

# Standard input ends with the run, however that dies.
_GUARD = 'read nothing; kill -TERM "$1" && sleep 5 && kill -KILL "$1"'


class TemporaryServer(SubprocessASGIServer):
    """The server with SIGINT blocked: a mask of signals is inherited, and handlers do not lift it.

    Making one before Prefect does makes it the one that Prefect uses.
    """

    _guard: subprocess.Popen[bytes] | None = None

    def stop(self) -> None:
        super().stop()
        self._release()

    def _run_uvicorn_command(self) -> subprocess.Popen[Any]:
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            self._release()
            server = super()._run_uvicorn_command()
            self._guard = _guard_of(server)
            return server
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def _release(self) -> None:
        """Dismiss the guard of a server that has ended, before its number means another."""
        if self._guard is not None:
            self._guard.kill()
            self._guard.communicate()
            self._guard = None


def _guard_of(server: subprocess.Popen[Any]) -> subprocess.Popen[bytes]:
    """Start what ends the server when this process is gone; no signal to the group reaches it."""
    return subprocess.Popen(
        ["sh", "-c", _GUARD, "sh", str(server.pid)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
