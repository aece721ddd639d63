"""The runner `threads`: a task for each sample, in this process."""

from collections.abc import Iterator, Sequence
from typing import Any

from prefect.futures import PrefectFuture, as_completed
from prefect.task_runners import ThreadPoolTaskRunner

from phases.campaign import Campaign
from phases.label import solver_workers
from pools.record import SampleRecord
from tasks.ended import Ended, How
from tasks.solve import solve_of


def solve_on_threads(
    campaign: Campaign, asked: Sequence[SampleRecord], how: How
) -> Iterator[Ended]:
    """Solve samples on this machine, `label.workers` at once.

    Called in a flow's body: results of tasks that a task maps are committed only with the outer
    one.
    """
    count = campaign.config.label.workers
    with (
        ThreadPoolTaskRunner[Any](max_workers=count) as runner,  # the others are Pending
        solver_workers(campaign, count) as workers,  # closed first
    ):
        futures: list[PrefectFuture[Any]] = [
            runner.submit(
                solve_of(campaign, record.pick),
                {
                    "campaign": campaign,
                    "step": record.step,
                    "pick": record.pick,
                    "workers": workers,
                    "retry_failed": how.retry_failed,
                    "by_hand": how.by_hand,
                },
            )
            for record in asked
        ]
        for future in as_completed(futures):
            yield ended(future)


def ended(future: PrefectFuture[Any]) -> Ended:
    """Say how a task that has ended did."""
    future.wait()  # the state may lag behind the end of the run
    error = future.state.result(raise_on_failure=False)
    return Ended(error if isinstance(error, Exception) else None)
