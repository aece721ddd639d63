"""A few supervisors, kept warm, that label threads borrow."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from queue import LifoQueue
from threading import BoundedSemaphore, Lock
from types import TracebackType
from typing import IO, Any, Self

from pools.sample import Sample
from pools.solution import Cost
from solvers.settings import SolverSettings


@dataclass(frozen=True, slots=True)
class Ended:
    """How a solver's process ended.

    Attributes:
        exit_code: its exit code; negative is the signal that ended it; None where the supervisor
            itself was lost.
        timed_out: whether it was ended at its deadline.
        cost: wall and processor seconds, peak memory.
    """

    exit_code: int | None
    timed_out: bool
    cost: Cost


class Supervisor:
    """One supervisor process and the two pipes to it; it runs one solve at a time."""

    def __init__(self, settings: SolverSettings) -> None:
        threads = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "solvers.supervisor", settings.model_dump_json()],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
            env={**os.environ, **threads},
            text=True,
        )
        self._asking = Lock()

    def run(self, request: dict[str, Any]) -> Ended:
        """Run one solve to its end; losing the supervisor is an end too."""
        try:
            answer = self._ask(json.dumps(request))
        except (OSError, ValueError):
            answer = ""
        if not answer:
            self.close()
            return Ended(None, timed_out=False, cost=Cost())
        content = json.loads(answer)
        return Ended(content["exit_code"], content["timed_out"], Cost(**content["cost"]))

    @property
    def is_alive(self) -> bool:
        """Whether it can take another request."""
        return self._process.poll() is None

    def close(self) -> None:
        """End the supervisor, and with it the solve that it may be running."""
        requests, replies = self._pipes()
        requests.close()
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()  # its solve dies with it
            self._process.wait()
        with self._asking:  # whoever waited for a reply has seen the end of the pipe
            replies.close()

    def _ask(self, line: str) -> str:
        requests, replies = self._pipes()
        with self._asking:
            requests.write(f"{line}\n")
            requests.flush()
            return replies.readline()

    def _pipes(self) -> tuple[IO[str], IO[str]]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        return self._process.stdin, self._process.stdout


class SolverWorkers:
    """Supervisors for one solver, started when first needed and kept for the next solve.

    Threads share it; a thread that finds all of them busy waits. Leaving the context ends whatever
    still runs.

    Args:
        settings: the solver's settings.
        count: how many solves may run at once.
    """

    def __init__(self, settings: SolverSettings, count: int = 2) -> None:
        self.settings = settings
        self._free = BoundedSemaphore(count)
        self._idle: LifoQueue[Supervisor] = LifoQueue()
        self._all: list[Supervisor] = []
        self._lock = Lock()
        self._closed = False

    def run(
        self,
        sample: Sample,
        directory: Path,
        *,
        timeout_seconds: float,
        grace_seconds: float = 5.0,
    ) -> Ended:
        """Solve one sample in `directory`; its result is there afterwards as `outcome.json`."""
        request = {
            "sample": {"id": sample.id, "parameters": dict(sample.parameters)},
            "directory": str(directory.resolve()),
            "timeout_seconds": timeout_seconds,
            "grace_seconds": grace_seconds,
        }
        with self._free:
            supervisor = self._borrow()
            try:
                return supervisor.run(request)
            finally:
                self._idle.put(supervisor)

    def close(self) -> None:
        """End all supervisors and whatever they run."""
        with self._lock:
            self._closed = True
            supervisors, self._all = self._all, []
        for supervisor in supervisors:
            supervisor.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _borrow(self) -> Supervisor:
        with self._lock:
            if self._closed:
                raise RuntimeError("these workers are closed; label inside their `with` block")
            while not self._idle.empty():
                if (idle := self._idle.get()).is_alive:
                    return idle
                self._all.remove(idle)
            self._all.append(Supervisor(self.settings))
            return self._all[-1]
