"""Prefect's temporary server, which Ctrl-C in a terminal must not end before the run does.

A terminal sends the signal to every process of the group. The server would end at once, and the
run, which has to tell it how its tasks end, would wait for it in vain.
"""

import signal
import subprocess
from typing import Any

from prefect.server.api.server import SubprocessASGIServer


class TemporaryServer(SubprocessASGIServer):
    """The server with SIGINT blocked: a mask of signals is inherited, and handlers do not lift it.

    Making one before Prefect does makes it the one that Prefect uses.
    """

    def _run_uvicorn_command(self) -> subprocess.Popen[Any]:
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            return super()._run_uvicorn_command()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
