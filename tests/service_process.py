"""One service as a process of this machine: started, stopped, killed, started again."""

import os
import signal
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from compose_file import ROOT, Declared
from process_table import descendants_of, none_runs, wait_until

_GONE_WITH_US = ("setpriv", "--pdeathsig", "KILL")


@dataclass(slots=True)
class Service:
    """A service that runs a command until it is stopped.

    Attributes:
        name: what it is called in messages.
        declared: its command, environment and health check.
        directory: where its log is, and what it keeps.
        base: what is set for every service of this machine, such as PATH.
        run_as: arguments for setpriv that make it another user's; nothing for this one's.
        seconds: how long it may take to be well.
    """

    name: str
    declared: Declared
    directory: Path
    base: Mapping[str, str]
    run_as: tuple[str, ...] = ()
    seconds: float = 120
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    @property
    def log(self) -> Path:
        """Where its output goes."""
        return self.directory / "log.txt"

    @property
    def environment(self) -> dict[str, str]:
        """What its process reads."""
        return {**self.base, **self.declared.environment}

    @property
    def process(self) -> int:
        """The number of its process."""
        assert self._process is not None, f"{self.name} was not started"
        return self._process.pid

    def start(self) -> None:
        """Start it, and return when it is well."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [*_GONE_WITH_US, *self.run_as, *self.declared.command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self.environment,
                cwd=ROOT,
                start_new_session=True,
            )
        self._wait_until_well()

    def stop(self) -> None:
        """Ask it to end, as `docker compose stop` does; kill it where it does not in time."""
        if self._process is None:
            return
        self._process.send_signal(self.declared.stop_signal)
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """Kill it and all that it started, at once: `kill -9`."""
        if self._process is None:
            return
        everything = [self.process, *descendants_of(self.process)]
        for process in everything:
            _kill(process)
        self._process.wait()
        wait_until(lambda: none_runs(everything))

    def restart(self) -> None:
        """Stop it and start it again, with what it kept."""
        self.stop()
        self.start()

    def is_well(self) -> bool:
        """Whether its health check says so."""
        check = subprocess.run(
            self.declared.health,
            env=self.environment,
            capture_output=True,
            timeout=30,
            check=False,
        )
        return check.returncode == 0

    def log_end(self) -> str:
        """Return the last lines that it wrote."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-30:])

    def _wait_until_well(self) -> None:
        deadline = time.monotonic() + self.seconds
        while not self.is_well():
            assert self._process is not None
            ended = self._process.poll()
            if ended is not None or time.monotonic() > deadline:
                self.kill()
                how = (
                    f"is not well after {self.seconds:g} s" if ended is None else f"ended: {ended}"
                )
                raise AssertionError(f"{self.name} {how}; its log ends:\n{self.log_end()}")
            time.sleep(0.5)  # a check is a process of its own


def _kill(process: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(process, signal.SIGKILL)
