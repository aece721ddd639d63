"""What an operator's server, database and workers leave behind when they are killed."""

import pytest
from campaign_examples import solved_attempts
from operating import Operator, until

pytestmark = [pytest.mark.slow, pytest.mark.services]


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
