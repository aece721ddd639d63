"""The runner `dask`: a task for each sample here, which waits for a worker of a cluster.

The task is this process's: compute nodes need no way to Prefect's server, a lost worker shows as
one more try of its sample, and a slot of the cluster is not held while the task waits for it.
"""

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import CancelledError
from pathlib import Path
from typing import Any, Self
from uuid import uuid4

from distributed import Future, KilledWorker
from prefect.futures import PrefectFuture, as_completed
from prefect.task_runners import ThreadPoolTaskRunner

from phases.campaign import Campaign
from phases.slots import needs
from pools.errors import CampaignError, SolverError
from pools.outcome import Outcome
from pools.pick import Pick
from pools.record import SampleDirectory, SampleRecord
from solvers.label import ByHand, error_of
from tasks.dask_cluster import OpenCluster, asked_of_worker, opened
from tasks.dask_worker import CampaignPlugin, Question, Told, solve_there
from tasks.ended import Ended, How
from tasks.events import sample_told
from tasks.on_threads import ended
from tasks.solve import for_sample, result_of, sample_task

_SECONDS_UNTIL_SEEN = 90.0  # file systems keep for up to a minute that a file is not there
_SECONDS_BETWEEN_LOOKS = 0.5


def solve_on_dask(campaign: Campaign, asked: Sequence[SampleRecord], how: How) -> Iterator[Ended]:
    """Solve samples on the cluster that the campaign's `runner` names.

    Raises:
        CampaignError: there is no such cluster.
    """
    with (
        opened(campaign, len(asked)) as cluster,
        ThreadPoolTaskRunner[Any](max_workers=cluster.at_once) as runner,
        Samples(campaign, how, cluster) as samples,  # closed first: its tasks then end
    ):
        futures: list[PrefectFuture[Any]] = [
            runner.submit(
                for_sample(solve_away, campaign, record.pick),
                {
                    "campaign": campaign,
                    "step": record.step,
                    "pick": record.pick,
                    "samples": samples,
                },
            )
            for record in asked
        ]
        for future in as_completed(futures):
            yield ended(future)


class Samples:
    """The samples of a campaign on a cluster; leaving the context ends what is not solved yet.

    No dataclass: Prefect would look through the fields of a parameter that is one.

    Args:
        campaign: whose.
        how: how they are solved.
        cluster: where.
    """

    def __init__(self, campaign: Campaign, how: How, cluster: OpenCluster) -> None:
        self.campaign, self.how, self.cluster = campaign, how, cluster
        self._plugin = f"solverloop-{campaign.config.name}-{uuid4().hex}"
        self._futures: set[Future] = set()
        self._is_over = False

    def __enter__(self) -> Self:
        plugin = CampaignPlugin(str(self.campaign.directory), str(Path.cwd()))
        self.cluster.client.register_plugin(plugin, name=self._plugin)
        return self

    def __exit__(self, *_: object) -> None:
        """End what is still solved or waits, on workers that live on too."""
        self._is_over = True
        client = self.cluster.client
        if client.status == "running":
            client.cancel(list(self._futures))
            client.unregister_worker_plugin(self._plugin)

    def solve(self, step: int, pick: Pick) -> SampleRecord:
        """Hand a sample to the cluster and wait for its record.

        Raises:
            SolverError: there is no solution, or its worker was lost.
            CampaignError: the cluster is no more, or this machine does not see what it solved.
        """
        if self._is_over:
            raise _given_up(pick)
        future = self._submit(step, pick)
        self._futures.add(future)
        try:
            told = Told(**future.result())
        except KilledWorker as error:
            raise self._lost(pick, error) from error
        except CancelledError as error:
            raise _given_up(pick) from error
        finally:
            self._futures.discard(future)
        return _record(self.campaign.sample_directory(pick.sample.id), told)

    def _submit(self, step: int, pick: Pick) -> Future:
        by_hand: ByHand = self.how.by_hand
        question = Question(
            plugin=self._plugin,
            step=step,
            sample=pick.sample.id,
            retry_failed=self.how.retry_failed,
            changes=dict(by_hand.changes),
            timeout_seconds=by_hand.timeout_seconds,
        )
        return self.cluster.client.submit(
            solve_there,
            question.plainly(),
            key=f"solve-{uuid4().hex}",
            pure=False,
            resources=asked_of_worker(needs(self.campaign.config)),
        )

    def _lost(self, pick: Pick, error: KilledWorker) -> SolverError:
        place = self.campaign.sample_directory(pick.sample.id).path
        reason = (
            f"the Dask worker {error.last_worker.address} was lost while it solved this sample"
        )
        return SolverError(Outcome.INFRASTRUCTURE, reason, place)


@sample_task
def solve_away(campaign: Campaign, step: int, pick: Pick, samples: Samples) -> dict[str, Any]:
    """Obtain the solution of one sample from a worker; the task fails where there is none."""
    with sample_told(campaign, pick):
        record = samples.solve(step, pick)
        if record.solution is None:
            place = campaign.sample_directory(pick.sample.id)
            raise error_of(place, record.attempts[-1])
    return result_of(record)


def _record(place: SampleDirectory, told: Told) -> SampleRecord:
    """Read what a worker wrote, once this machine sees it."""
    deadline = time.monotonic() + _SECONDS_UNTIL_SEEN
    while (record := place.read()) is None or not _is_seen(place, record, told):
        if time.monotonic() > deadline:
            raise CampaignError(
                f"the Dask worker on {told.host} solved {place.path.name}, but after "
                f"{_SECONDS_UNTIL_SEEN:g} s this machine does not see it in {place.path}; keep "
                "campaigns on a file system that every machine mounts at the same place"
            )
        time.sleep(_SECONDS_BETWEEN_LOOKS)
        list(place.path.parent.glob(f"{place.path.name}/*"))  # a listing asks the file server anew
    return record


def _is_seen(place: SampleDirectory, record: SampleRecord, told: Told) -> bool:
    is_whole = record.solution is None or place.solution.is_file()
    return len(record.attempts) >= told.attempts and is_whole


def _given_up(pick: Pick) -> CampaignError:
    return CampaignError(
        f"the Dask cluster gave {pick.sample.id} back unsolved: it was ended, or its scheduler "
        "lost; run the same command again: nothing already solved is lost"
    )
