"""What runs on a Dask worker: it opens the campaign from disk and labels one sample there.

Only plain data come here and go back. Prefect is not imported: compute nodes need not reach its
server.
"""

import os
import socket
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any

from distributed import Worker, WorkerPlugin, get_worker

from phases.asked import pick_of
from phases.campaign import Campaign
from phases.elsewhere import opened_on_worker
from phases.label import label_sample, solver_workers
from pools.errors import CampaignError, SolverError
from solvers.label import ByHand
from solvers.workers import SolverWorkers


@dataclass(frozen=True, slots=True)
class Question:
    """One sample to solve, as plain data.

    Attributes:
        plugin: name of the worker's plugin that keeps the campaign open.
        step: the step that asked.
        sample: its id.
        retry_failed: solve it again where it failed for a numerical reason.
        changes: of the solver's settings, by hand.
        timeout_seconds: the deadline; the policy's if None.
    """

    plugin: str
    step: int
    sample: str
    retry_failed: bool
    changes: Mapping[str, Any]
    timeout_seconds: float | None

    def plainly(self) -> dict[str, Any]:
        """Return it as JSON would hold it."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Told:
    """What a worker tells of a sample: where to look is on disk.

    Attributes:
        attempts: how many attempts its record has now.
        host: which machine solved.
    """

    attempts: int
    host: str


@dataclass
class CampaignPlugin(WorkerPlugin):  # type: ignore[misc]  # distributed ships no types
    """Keeps a campaign and its solver open on a worker, from its first sample to its end.

    Dask tears it down when the worker ends or the campaign lets go of it; that ends what is being
    solved there. Where the worker is killed, its supervisors end themselves.

    Attributes:
        directory: the campaign's, as every machine sees it.
        working_directory: where relative paths of the campaign file begin.
    """

    directory: str
    working_directory: str
    _opened: tuple[Campaign, SolverWorkers] | None = field(init=False, default=None)
    _is_over: bool = field(init=False, default=False)

    def setup(self, worker: Worker) -> None:
        """Take note of how many samples the worker may solve at once; nothing is opened yet."""
        self._opening = Lock()  # here: it cannot travel
        self._count = worker.state.nthreads

    def teardown(self, worker: Worker) -> None:  # noqa: ARG002 - Dask's signature
        """End what is being solved."""
        with self._opening:
            self._is_over = True
            if self._opened is not None:
                self._opened[1].close()

    def opened(self) -> tuple[Campaign, SolverWorkers]:
        """Return the campaign and its solver, opened by whichever sample comes first.

        Raises:
            CampaignError: this machine does not see the directory, or the campaign let go of it.
        """
        with self._opening:
            if self._is_over:
                raise _let_go()
            if self._opened is None:
                campaign = self._open()
                self._opened = campaign, solver_workers(campaign, self._count)
            return self._opened

    def _open(self) -> Campaign:
        campaign = opened_on_worker(Path(self.directory))
        if str(Path.cwd()) != self.working_directory:
            raise CampaignError(
                f"the Dask worker on {socket.gethostname()} works in {Path.cwd()}, but the paths "
                f"of the campaign file begin in {self.working_directory}; start the workers there"
            )
        campaign.check_solver()
        return campaign


def solve_there(question: Mapping[str, Any]) -> dict[str, Any]:
    """Label a sample on the worker that this is called on; how it went is in its record.

    Args:
        question: a `Question`, plainly.

    Returns:
        What it `Told`, plainly.
    """
    asked = Question(**question)
    campaign, workers = _plugin(asked.plugin).opened()
    pick = pick_of(campaign, asked.step, asked.sample)
    by_hand = ByHand(asked.changes, asked.timeout_seconds)
    with suppress(SolverError):  # its record says so
        label_sample(
            campaign, asked.step, pick, workers, retry_failed=asked.retry_failed, by_hand=by_hand
        )
    record = campaign.sample_directory(asked.sample).read()
    attempts = len(record.attempts) if record else 0
    return asdict(Told(attempts, f"{socket.gethostname()}, process {os.getpid()}"))


def _plugin(name: str) -> CampaignPlugin:
    found = get_worker().plugins.get(name)
    if not isinstance(found, CampaignPlugin):
        raise _let_go()
    return found


def _let_go() -> CampaignError:
    return CampaignError(
        f"the campaign let go of the Dask worker on {socket.gethostname()} before this sample "
        "began; run it again: nothing already solved is lost"
    )
