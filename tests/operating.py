"""Somebody who operates campaigns on a server: deploys them, starts runs, and looks at them."""

import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import yaml
from campaign_examples import ledger_of, solved_attempts
from plain_campaigns import QUICK
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterDeploymentId,
    FlowRunFilterName,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import TERMINAL_STATES, FlowRun, StateType
from service_process import Service
from services import ROOT, PrefectServices

from phases.asked import initial_picks
from phases.campaign import Campaign
from pools.training import TrainingPool

_SECONDS = 400.0  # that anything may take on a busy machine


@dataclass(frozen=True)
class Operator:
    """Somebody at a terminal: the server, two workers, and a place for campaigns.

    Attributes:
        services: the server's.
        client: of the server.
        place: where the campaigns are.
        train: the worker that runs campaigns.
        solve: the worker that solves samples.
    """

    services: PrefectServices
    client: SyncPrefectClient
    place: Path
    train: Service
    solve: Service

    def deploy(self, name: str, *options: str, **changes: Any) -> str:
        """Deploy a quick campaign by `solverloop deploy`, and return what that prints."""
        file = self.place / f"{name}.yaml"
        file.write_text(yaml.safe_dump({**QUICK, "name": name, **changes}))
        where = ("--home", ROOT, "--directory", self.place / name)
        done = subprocess.run(
            [sys.executable, "-m", "flows.cli", "deploy", file, *map(str, where), *options],
            env=self.services.environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def deployment(self, name: str) -> str:
        """Return the id of a deployment."""
        return str(self.client.read_deployment_by_name(name).id)

    def runs(self, name: str) -> list[FlowRun]:
        """Return the runs of this name."""
        only = FlowRunFilter(name=FlowRunFilterName(any_=[name]))
        return self.client.read_flow_runs(flow_run_filter=only)

    def unfinished(self, deployment: str) -> list[FlowRun]:
        """Return the runs of a deployment that have begun, or are about to, and have not ended."""
        where = FlowRunFilter(
            deployment_id=FlowRunFilterDeploymentId(any_=[UUID(self.deployment(deployment))]),
            state=FlowRunFilterState(
                type=FlowRunFilterStateType(not_any_=[StateType.SCHEDULED, *TERMINAL_STATES])
            ),
        )
        return self.client.read_flow_runs(flow_run_filter=where)

    def start(self, deployment: str) -> str:
        """Start a run of a deployment, and return its id."""
        run = self.client.create_flow_run_from_deployment(self.deployment(deployment))  # type: ignore[arg-type]
        return str(run.id)

    def state(self, run: str) -> str:
        """Return how a run stands, and its message."""
        state = self.client.read_flow_run(run).state  # type: ignore[arg-type]
        return "" if state is None else f"{state.name}: {state.message}"

    def messages_with(self, text: str) -> int:
        """Return how many states, of any run, were entered with a message that holds the text."""
        states = [
            state
            for run in self.client.read_flow_runs()
            for state in self.client.read_flow_run_states(run.id)
        ]
        return sum(text in (state.message or "") for state in states)

    def wait(self, run: str, name: str) -> None:
        """Wait until a run is in the state of this name."""
        until(lambda: self.state(run).startswith(name), lambda: self.standing(run))

    def standing(self, run: str) -> str:
        """Return how a run stands, and how many runs are in each state."""
        counts = Counter(each.state_name for each in self.client.read_flow_runs())
        return f"{self.state(run)}; {dict(counts)}"


def until(is_so: Callable[[], bool], told: Callable[[], str] = str) -> None:
    """Wait until something is so, and say how it stands where it does not become so."""
    deadline = time.monotonic() + _SECONDS
    while not is_so():
        assert time.monotonic() < deadline, told()
        time.sleep(0.5)


def pool_of(directory: Path) -> list[str]:
    """Return the ids of the labelled samples."""
    return list(TrainingPool(Campaign.open(directory).shards()).ids)


def unsolved_initially(directory: Path) -> list[str]:
    """Return the ids of the initial samples that have no solution."""
    solved = solved_attempts(directory)
    picks = initial_picks(Campaign.open(directory))
    return [pick.sample.id for pick in picks if not solved.get(pick.sample.id)]


def steps_done(directory: Path) -> int:
    """Return how many steps of a campaign have ended."""
    return sum(line["phase"] == "append" for line in ledger_of(directory))
