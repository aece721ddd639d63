"""The operator's day: a real server with PostgreSQL and Redis, workers, and a real browser."""

import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from campaign_examples import ledger_of
from plain_campaigns import QUICK
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterName
from prefect.client.schemas.objects import FlowRun
from prefect_page import prefect_page
from service_process import Service
from services import ROOT, PrefectServices

from phases.asked import initial_picks
from phases.campaign import Campaign
from pools.outcome import Outcome
from pools.record import SampleDirectory
from pools.training import TrainingPool

pytestmark = [pytest.mark.slow, pytest.mark.services]

SECONDS = 600.0  # that anything may take on a busy machine


@dataclass(frozen=True)
class Operator:
    """Somebody at a terminal: the server, two workers, and a place for campaigns."""

    services: PrefectServices
    client: SyncPrefectClient
    place: Path
    train: Service

    def deploy(self, name: str, *options: str, **changes: Any) -> str:
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
        return str(self.client.read_deployment_by_name(name).id)

    def runs(self, name: str) -> list[FlowRun]:
        only = FlowRunFilter(name=FlowRunFilterName(any_=[name]))
        return self.client.read_flow_runs(flow_run_filter=only)

    def start(self, deployment: str) -> str:
        run = self.client.create_flow_run_from_deployment(self.deployment(deployment))  # type: ignore[arg-type]
        return str(run.id)

    def state(self, run: str) -> str:
        state = self.client.read_flow_run(run).state  # type: ignore[arg-type]
        return "" if state is None else f"{state.name}: {state.message}"

    def wait(self, run: str, name: str) -> None:
        until(lambda: self.state(run).startswith(name), lambda: self.state(run))


@pytest.fixture(scope="module")
def operator(
    prefect_services: PrefectServices, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Operator]:
    with (
        prefect_services.connected(),
        get_client(sync_client=True) as client,
        prefect_services.worker("train") as train,
        prefect_services.worker("solve"),
    ):
        yield Operator(prefect_services, client, tmp_path_factory.mktemp("campaigns"), train)


def until(is_so: Callable[[], bool], told: Callable[[], str] = str) -> None:
    """Wait until something is so, and say how it stands where it does not become so."""
    deadline = time.monotonic() + SECONDS
    while not is_so():
        assert time.monotonic() < deadline, told()
        time.sleep(0.5)


def pool_of(directory: Path) -> list[str]:
    """Return the ids of the labelled samples."""
    return list(TrainingPool(Campaign.open(directory).shards()).ids)


def solved_attempts(directory: Path) -> Counter[str]:
    """Count the successful attempts of each sample."""
    records = [SampleDirectory(path).read() for path in directory.glob("samples/*")]
    return Counter(
        record.pick.sample.id
        for record in records
        if record
        for attempt in record.attempts
        if attempt.outcome is Outcome.OK
    )


def unsolved_initially(directory: Path) -> list[str]:
    """Return the ids of the initial samples that have no solution."""
    solved = solved_attempts(directory)
    picks = initial_picks(Campaign.open(directory))
    return [pick.sample.id for pick in picks if not solved[pick.sample.id]]


def steps_done(directory: Path) -> int:
    return sum(line["phase"] == "append" for line in ledger_of(directory))


def test_deploying_again_changes_nothing(operator: Operator) -> None:
    operator.deploy("again")
    said = operator.deploy("again")
    assert "work pool train: there" in said
    assert "campaign/again" in said


def test_a_campaign_is_started_from_the_form_asked_about_and_a_sample_retried(
    operator: Operator, tmp_path: Path
) -> None:
    switch, directory = tmp_path / "switch", operator.place / "flaky"
    switch.touch()
    operator.deploy(
        "flaky",
        seed=4,  # one of three initial samples lies below the edge, and one of two for testing
        parameters={"x": {"low": 0, "high": 1}},
        solver={
            "kind": "custom",
            "factory": "tests.flaky_solver:Flaky",
            "options": {"edge": 0.4, "switch": str(switch)},
        },
        initial_samples=3,
        test_samples=2,
        runner={"kind": "deployment"},
        label={"min_success_fraction": 0.9},
        stopping={"max_steps": 1},
    )
    address = operator.services.url.removesuffix("/api")
    with prefect_page(address, tmp_path) as ui:
        ui.log_in(operator.services.variables["PREFECT_AUTH_STRING"])

        ui.open(f"deployments/deployment/{operator.deployment('campaign/flaky')}/run")
        ui.see("How many samples each step asks the solver for")
        ui.fill("Samples Per Step", "2")
        ui.picture("operator-form")
        ui.click("Submit")

        until(lambda: bool(operator.runs("flaky")))
        run = str(operator.runs("flaky")[0].id)
        operator.wait(run, "Suspended")
        (failed,) = unsolved_initially(directory)
        switch.unlink()  # what made it fail is mended
        ui.open(f"runs/flow-run/{run}")
        ui.click("Resume")
        ui.see("Without a solution")
        ui.see(failed)
        ui.choose("retry all", "go on without them")
        ui.picture("operator-asked")
        ui.click("Submit")
        operator.wait(run, "Completed")
        ui.open(f"runs/flow-run/{run}")
        ui.see("Completed")
        ui.picture("operator-campaign")

        before = pool_of(directory)
        assert len(before) == 2 + 2
        child = str(operator.runs(f"solve-{failed}")[0].id)
        ui.open(f"runs/flow-run/{child}")
        ui.see("the switch is on")
        ui.picture("operator-failed-sample")
        ui.click("Retry")
        ui.see("Retry Flow Run")
        ui.click("Retry")
        operator.wait(child, "Completed")
        ui.see("Completed")
        ui.picture("operator-retried-sample")
    assert pool_of(directory) == [*before, failed]
    assert set(solved_attempts(directory).values()) == {1}


def test_a_schedule_advances_a_campaign_by_a_step_each_time_that_it_fires(
    operator: Operator,
) -> None:
    directory = operator.place / "often"
    operator.deploy("often", "--every", "15s", "--active", stopping={"max_steps": 20})
    until(lambda: steps_done(directory) >= 2)
    deployment = operator.client.read_deployment_by_name("next-step/often")
    (schedule,) = operator.client.read_deployment_schedules(deployment.id)
    operator.client.update_deployment_schedule(deployment.id, schedule.id, active=False)
    ended = [run for run in operator.runs("often") if run.state and run.state.is_completed()]
    assert steps_done(directory) <= len(ended) + 1


def test_a_second_run_of_a_campaign_is_cancelled_and_says_why(operator: Operator) -> None:
    solver = {"kind": "analytic", "seconds": 2}
    operator.deploy("busy", solver=solver, stopping={"max_steps": 1})
    first = operator.start("campaign/busy")
    until(lambda: any((operator.place / "busy" / "samples").glob("*")))
    second = operator.start("next-step/busy")
    operator.wait(second, "Cancelled")
    assert "another process is running the campaign" in operator.state(second)
    operator.wait(first, "Completed")


@pytest.mark.parametrize("runner", ["threads", "deployment"])
def test_server_and_database_are_killed_in_mid_step_and_nothing_is_solved_twice(
    operator: Operator, runner: str
) -> None:
    name = f"hit-{runner}"
    directory = operator.place / name
    solver = {"kind": "analytic", "seconds": 2}
    operator.deploy(name, solver=solver, stopping={"max_steps": 1}, runner={"kind": runner})
    run = operator.start(f"campaign/{name}")
    for service in (operator.services.server, operator.services.database):
        count = len(solved_attempts(directory)) if directory.exists() else 0
        until(lambda: directory.exists() and len(solved_attempts(directory)) > count)  # noqa: B023
        service.kill()
        service.start()
    operator.wait(run, "Completed")
    assert set(solved_attempts(directory).values()) == {1}


def test_a_worker_is_killed_in_mid_step_and_the_campaign_goes_on_in_another_run(
    operator: Operator,
) -> None:
    directory = operator.place / "worker"
    solver = {"kind": "analytic", "seconds": 2}
    operator.deploy("worker", solver=solver, stopping={"max_steps": 1})
    killed = operator.start("campaign/worker")
    until(lambda: directory.exists() and len(solved_attempts(directory)) > 1)
    operator.train.kill()
    operator.train.start()
    operator.wait(operator.start("campaign/worker"), "Completed")
    assert set(solved_attempts(directory).values()) == {1}
    assert operator.state(killed).startswith(("Running", "Crashed"))
