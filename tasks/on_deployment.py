"""The runner `deployment`: a flow run for each sample, with its own Retry, Cancel and logs.

The flow run that labels only submits and waits. What it submits has an idempotency key, so that
one that was killed and goes on finds its samples' runs again, and the disk says what is solved.
"""

import json
import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any, cast
from uuid import UUID

from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId
from prefect.client.schemas.objects import FlowRun, State
from prefect.deployments import run_deployment
from prefect.exceptions import ObjectNotFound
from prefect.runtime import flow_run
from prefect.settings import PREFECT_API_URL
from prefect.states import AwaitingRetry, Cancelling, Scheduled

from phases.campaign import Campaign
from phases.progress import LOGGER
from phases.runner_settings import DeploymentSettings
from pools.errors import CampaignError, SolverError
from pools.outcome import Outcome
from pools.record import SampleRecord
from solvers.label import NOTHING_BY_HAND, error_of
from tasks.ended import Ended, How

_SECONDS_BETWEEN_LOOKS = 1.0
_SECONDS_UNTIL_WARNED = 60.0
_SECONDS_PENDING = 120.0
_AT_ONCE = 200  # the most that the server lists in one answer


def solve_on_deployment(
    campaign: Campaign, asked: Sequence[SampleRecord], how: How
) -> Iterator[Ended]:
    """Solve samples as flow runs of the deployment that the campaign's `runner` names.

    Raises:
        CampaignError: there is no such deployment.
    """
    settings = campaign.config.runner
    assert isinstance(settings, DeploymentSettings)
    with get_client(sync_client=True) as client:
        samples = _Samples(campaign, how, settings.deployment, client)
        solved, open_ones = samples.divide(asked)
        yield from [Ended(None)] * len(solved)
        yield from samples.wait_for(open_ones)


@dataclass(frozen=True, slots=True)
class _Samples:
    """The flow runs of a step's samples."""

    campaign: Campaign
    how: How
    deployment: str
    client: SyncPrefectClient
    runs: dict[UUID, SampleRecord] = field(default_factory=dict)
    pending: dict[UUID, float] = field(default_factory=dict)

    def divide(
        self, asked: Sequence[SampleRecord]
    ) -> tuple[list[SampleRecord], list[SampleRecord]]:
        """Return the samples that have their solution on disk, and the others."""
        place = self.campaign.sample_directory
        solved = [one for one in asked if place(one.pick.sample.id).has_solution()]
        known = {record.pick.sample.id for record in solved}
        return solved, [record for record in asked if record.pick.sample.id not in known]

    def wait_for(self, asked: Sequence[SampleRecord]) -> Iterator[Ended]:
        """Submit what is not running yet, and tell of each sample when its run has ended."""
        tries = dict.fromkeys((record.pick.sample.id for record in asked), 0)
        try:
            for record in asked:
                self._submit(record)
            yield from self._ends(tries)
        except BaseException:  # cancelled, or what receives the ends failed: solve no more
            self._cancel()
            raise

    def _ends(self, tries: dict[str, int]) -> Iterator[Ended]:
        policy, begun, warned = self.campaign.config.label, time.monotonic(), False
        while self.runs:
            for run_id, state in self._finished().items():
                record = self.runs.pop(run_id)
                name = record.pick.sample.id
                if state.is_crashed() and tries[name] < policy.retries:
                    tries[name] += 1
                    self._submit(record)
                else:
                    yield self._ended(record, state)
            time.sleep(_SECONDS_BETWEEN_LOOKS)
            if not warned and time.monotonic() - begun > _SECONDS_UNTIL_WARNED:
                warned = self._warn()

    def _finished(self) -> Mapping[UUID, State[Any]]:
        """Return the final states of those that are no longer running."""
        ids = list(self.runs)
        found: list[FlowRun] = []
        for first in range(0, len(ids), _AT_ONCE):
            only = FlowRunFilter(id=FlowRunFilterId(any_=ids[first : first + _AT_ONCE]))
            found += self.client.read_flow_runs(flow_run_filter=only, limit=_AT_ONCE)
        gone = [run_id for run_id in ids if run_id not in {run.id for run in found}]
        for run_id in gone:  # deleted by a person
            self._submit(self.runs.pop(run_id))
        for run in found:
            self._look_after(run)
        return {run.id: run.state for run in found if run.state and run.state.is_final()}

    def _look_after(self, run: FlowRun) -> None:
        """Schedule a run again that a worker took and never began, as where the server was away.

        Should it begin after all, the second of the two waits for the first, and finds it solved.
        """
        if run.state is None or not run.state.is_pending():
            self.pending.pop(run.id, None)
            return
        since = self.pending.setdefault(run.id, time.monotonic())
        if time.monotonic() - since > _SECONDS_PENDING:
            why = f"pending for {_SECONDS_PENDING:.0f} s: its worker has lost it"
            self.client.set_flow_run_state(run.id, Scheduled(message=why), force=True)
            logging.getLogger(LOGGER).warning("%s is scheduled again, %s", run.name, why)
            del self.pending[run.id]

    def _submit(self, record: SampleRecord) -> None:
        run = next(run for number in count(1) if _may_end(run := self._run(record, number)))
        if run.state is not None and self._is_to_be_retried(run.state):
            self.client.set_flow_run_state(run.id, AwaitingRetry(), force=True)
        self.runs[run.id] = record

    def _run(self, record: SampleRecord, number: int) -> FlowRun:
        """Return a sample's flow run of this number, which is made where there is none."""
        sample, by_hand = record.pick.sample, self.how.by_hand
        whose = "" if by_hand == NOTHING_BY_HAND else f"-{flow_run.id}"
        key = f"{self.campaign.key}-{record.step:03d}-{sample.id}{whose}-{number}"
        try:
            run = run_deployment(
                self.deployment,
                parameters={
                    "directory": str(self.campaign.directory),
                    "step": record.step,
                    "sample": sample.id,
                    "retry_failed": self.how.retry_failed,
                    "changes": [f"{k}={json.dumps(v)}" for k, v in by_hand.changes.items()],
                    "timeout": by_hand.timeout_seconds,
                },
                flow_run_name=f"solve-{sample.id}",
                tags=["solverloop", self.campaign.config.name],
                idempotency_key=key,
                timeout=0,
            )
            return cast(FlowRun, run)  # called without a loop, it promises nothing
        except ObjectNotFound:
            raise CampaignError(
                f"the runner of this campaign is the deployment {self.deployment!r}, which the "
                f"server {PREFECT_API_URL.value()} does not know; make it with `solverloop "
                "deploy`, or solve on this machine with --set runner.kind=threads"
            ) from None

    def _is_to_be_retried(self, state: State[Any]) -> bool:
        """Whether a run that ended earlier is wanted again: it failed, or its solution is lost."""
        return state.is_completed() or (state.is_failed() and self.how.retry_failed)

    def _ended(self, record: SampleRecord, state: State[Any]) -> Ended:
        place = self.campaign.sample_directory(record.pick.sample.id)
        now = place.read() or record
        if place.is_solved(now):
            return Ended(None)
        if state.is_cancelled():
            return Ended(SolverError(Outcome.INFRASTRUCTURE, "cancelled by hand", place.path))
        if state.is_failed() and now.outcome not in {None, Outcome.INFRASTRUCTURE}:
            return Ended(error_of(place, now.attempts[-1]))
        return Ended(
            CampaignError(
                f"the flow run of sample {record.pick.sample.id} ended as {state.name} without "
                f"a solution: {state.message}; look at its log in the Prefect UI, then retry "
                "this run: nothing already solved is lost"
            )
        )

    def _cancel(self) -> None:
        """Ask the server to cancel what still runs."""
        for run_id in self.runs:
            self.client.set_flow_run_state(run_id, Cancelling())

    def _warn(self) -> bool:
        """Say where nothing was begun after a while: there is probably no worker."""
        only = FlowRunFilter(id=FlowRunFilterId(any_=list(self.runs)[:_AT_ONCE]))
        runs = self.client.read_flow_runs(flow_run_filter=only, limit=_AT_ONCE)
        if runs and all(run.state is not None and run.state.is_scheduled() for run in runs):
            pool = runs[0].work_pool_name
            logging.getLogger(LOGGER).warning(
                "no sample was begun for %.0f s; is there a worker? Start one with `prefect "
                "worker start --pool %s`",
                _SECONDS_UNTIL_WARNED,
                pool,
            )
        return True


def _may_end(run: FlowRun) -> bool:
    """Whether a run has or will have an answer: one that crashed or was cancelled has none."""
    return run.state is None or not (run.state.is_crashed() or run.state.is_cancelled())
