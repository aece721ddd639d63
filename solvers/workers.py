"""A few supervisors, kept warm, that label threads borrow."""

import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from queue import LifoQueue
from threading import BoundedSemaphore, Lock
from types import MappingProxyType, TracebackType
from typing import IO, Any, Self
from uuid import uuid4

from pydantic import TypeAdapter

from pools.errors import CampaignError
from pools.record import Setting
from pools.sample import Sample
from pools.solution import Cost
from solvers.processes import MARK, Processes
from solvers.recovery import Try
from solvers.request import Request
from solvers.settings import SolverSettings

_AS_DECLARED = Try()

Levels = Mapping[str, Mapping[str, Setting]]
"""What each cheaper level of a solver changes of its settings, by name."""

NO_LEVELS: Levels = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Ended:
    """How a solver's process ended.

    Attributes:
        exit_code: its exit code; negative is the signal that ended it; None where the supervisor
            itself was lost.
        timed_out: whether it was ended at its deadline.
        cost: wall and processor seconds, peak memory.
        memory_kills: above 0 where the kernel killed a process for want of memory meanwhile, the
            solver's or another's; None where it does not say.
    """

    exit_code: int | None
    timed_out: bool
    cost: Cost
    memory_kills: int | None = None


_AS_JSON = TypeAdapter(Ended)  # built once: building one takes milliseconds


class Supervisor:
    """One supervisor process and the two pipes to it; it runs one solve at a time."""

    def __init__(self, settings: SolverSettings) -> None:
        token = uuid4().hex
        self._settings = settings.model_dump_json()
        self._processes = Processes(token)
        self._process = subprocess.Popen(
            [
                *(sys.executable, "-P", "-m", "solvers.supervisor"),
                *(self._settings, os.environ.get("PYTHONPATH", "")),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
            env=_environment(token),
            text=True,
        )
        self._asking = Lock()
        self._is_ready = False

    def run(self, request: Request) -> Ended:
        """Run one solve to its end; losing the supervisor is an end too.

        Raises:
            CampaignError: the solver cannot be built in the supervisor.
        """
        try:
            return self._ask(request.line())
        except (OSError, ValueError):  # it is gone, or what it says is no answer
            self.close()
            return Ended(None, timed_out=False, cost=Cost())

    @property
    def is_alive(self) -> bool:
        """Whether it can take another request."""
        return self._process.poll() is None

    def close(self) -> None:
        """End the supervisor, and with it the solve that it may be running and all it started."""
        requests, replies = self._pipes()
        with suppress(OSError):  # a dead supervisor cannot take what was not yet sent
            requests.close()
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._processes.end()  # a killed supervisor could not
        with self._asking:  # whoever waited for a reply has seen the end of the pipe
            replies.close()

    def _ask(self, line: str) -> Ended:
        requests, replies = self._pipes()
        with self._asking:
            if not self._is_ready:
                self._greet(replies.readline())
            requests.write(f"{line}\n")
            requests.flush()
            return _AS_JSON.validate_json(replies.readline())

    def _greet(self, line: str) -> None:
        """Take the first answer, which says whether the solver could be built."""
        greeting = TypeAdapter(dict[str, Any]).validate_json(line)
        if reason := greeting.get("unusable"):
            raise CampaignError(
                f"the solver {self._settings} cannot be started: {reason}; correct `solver` in "
                "the campaign file, or provide what it needs (its modules, files, licence), then "
                "run the same command again: nothing already solved is lost"
            )
        self._is_ready = True

    def _pipes(self) -> tuple[IO[str], IO[str]]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        return self._process.stdin, self._process.stdout


def _environment(token: str) -> dict[str, str]:
    """Return a supervisor's environment: it imports what this process imports.

    The working directory comes last, so that a folder there cannot shadow ours. Nothing of
    Prefect's goes along: what a solver prints is shown, and its password must not be among it.
    """
    path = [*filter(None, sys.path), os.environ.get("PYTHONPATH", ""), str(Path.cwd())]
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    ours = {"PYTHONPATH": os.pathsep.join(filter(None, path)), MARK: token}
    inherited = {n: value for n, value in os.environ.items() if not n.startswith("PREFECT_")}
    return {**inherited, **threads, **ours}


class SolverWorkers:
    """Supervisors for one solver, started when first needed and kept for the next solve.

    Threads share it; a thread that finds all of them busy waits. Leaving the context ends whatever
    still runs.

    Args:
        settings: the solver's settings.
        count: how many solves may run at once.
        levels: the solver's cheaper levels; a sample of one is solved with its settings.
    """

    def __init__(
        self, settings: SolverSettings, count: int = 2, levels: Levels = NO_LEVELS
    ) -> None:
        self.settings = settings
        self.levels = levels
        self._free = BoundedSemaphore(count)
        self._idle: LifoQueue[Supervisor] = LifoQueue()
        self._all: list[Supervisor] = []
        self._lock = Lock()
        self._closed = False
        self._unusable = ""

    def run(  # noqa: PLR0913 - all that a request says
        self,
        sample: Sample,
        directory: Path,
        *,
        timeout_seconds: float,
        grace_seconds: float = 5.0,
        memory_gib: float | None = None,
        tried: Try = _AS_DECLARED,
        start: Path | None = None,
        fields: Path | None = None,
    ) -> Ended:
        """Solve one sample in `directory`; its result is there afterwards as `outcome.json`.

        Args:
            sample: the question.
            directory: an existing directory that no solve has used.
            timeout_seconds: the deadline.
            grace_seconds: time between the polite and the forced end.
            memory_gib: most memory of each process of the solver; None for no limit.
            tried: how it differs from what is declared.
            start: directory of a solved sample whose solution it begins from.
            fields: file of predicted fields whose residual is asked for instead of a solution.

        Raises:
            CampaignError: the solver cannot be started. Nothing was tried; `directory` is removed.
        """
        request = Request(
            sample=sample,
            directory=directory.resolve(),
            timeout_seconds=timeout_seconds,
            grace_seconds=grace_seconds,
            memory_gib=memory_gib,
            tried=tried,
            start=None if start is None else start.resolve(),
            fields=None if fields is None else fields.resolve(),
            level=self.levels[sample.level] if sample.level else {},
        )
        kept = tried.write(directory)
        try:
            return self._run(request)
        except CampaignError as error:
            self._unusable = str(error)  # nor can it be for the next sample
            with suppress(OSError):
                kept.unlink()
                directory.rmdir()
            raise

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

    def _run(self, request: Request) -> Ended:
        with self._free:
            supervisor = self._borrow()
            try:
                return supervisor.run(request)
            finally:
                self._idle.put(supervisor)

    def _borrow(self) -> Supervisor:
        with self._lock:
            if self._closed:
                raise RuntimeError("these workers are closed; label inside their `with` block")
            if self._unusable:
                raise CampaignError(self._unusable)
            while not self._idle.empty():
                if (idle := self._idle.get()).is_alive:
                    return idle
                idle.close()
                self._all.remove(idle)
            self._all.append(Supervisor(self.settings))
            return self._all[-1]
