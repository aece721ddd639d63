"""The operator's day: a real server with PostgreSQL and Redis, workers, and a real browser."""

from pathlib import Path

import pytest
from campaign_examples import solved_attempts
from operating import Operator, pool_of, steps_done, unsolved_initially, until
from prefect_page import prefect_page

pytestmark = [pytest.mark.slow, pytest.mark.services]


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
        for service in (operator.train, operator.solve, operator.services.server):
            service.restart()  # the question is still open then
        assert operator.state(run).startswith("Suspended")
        ui.open(f"runs/flow-run/{run}")
        ui.ask("Resume", "Without a solution")
        ui.see(failed)
        ui.see("(test set)")
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
        ui.turn_to("Details")
        ui.see("diverged: the switch is on")
        ui.picture("operator-failed-sample", height=1300)
        ui.ask("Retry", "Retry Flow Run")
        ui.click("Retry")
        operator.wait(child, "Completed")
        ui.open(f"runs/flow-run/{child}")
        ui.see("Completed")
        ui.picture("operator-retried-sample")
    assert pool_of(directory) == [*before, failed]
    assert set(solved_attempts(directory).values()) == {0, 1}, (
        "one of the test set is never solved"
    )


def test_a_schedule_advances_a_campaign_by_a_step_each_time_that_it_fires(
    operator: Operator,
) -> None:
    directory = operator.place / "often"
    operator.deploy("often", "--every", "15s", "--active", stopping={"max_steps": 20})
    until(lambda: steps_done(directory) >= 2)
    deployment = operator.client.read_deployment_by_name("next-step/often")
    (schedule,) = operator.client.read_deployment_schedules(deployment.id)
    operator.client.update_deployment_schedule(deployment.id, schedule.id, active=False)
    until(lambda: not operator.unfinished("next-step/often"))
    ended = [run.state for run in operator.runs("often")]
    assert sum(state is not None and state.is_completed() for state in ended) == steps_done(
        directory
    )


def test_a_second_run_of_a_campaign_is_cancelled_and_says_why(operator: Operator) -> None:
    solver = {"kind": "analytic", "seconds": 4}
    operator.deploy("busy", solver=solver, stopping={"max_steps": 1})
    first = operator.start("campaign/busy")
    until(lambda: any((operator.place / "busy" / "samples").glob("*")))
    for other in ("next-step/busy", "campaign/busy"):
        second = operator.start(other)
        operator.wait(second, "Cancelled")
        assert "another process is running the campaign" in operator.state(second)
    operator.wait(first, "Completed")
