"""The services of docker/compose.yaml, run for real: PostgreSQL, Redis, Prefect, a worker."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from uuid import UUID

import httpx
import pytest
from campaign_examples import command, message_of, wave_file
from compose_file import ROOT, Declared
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.client.schemas.objects import FlowRun
from prefect.deployments import run_deployment
from prefect.deployments.runner import RunnerDeployment
from prefect.exceptions import ObjectNotFound
from prefect.flows import EntrypointType
from service_process import Service
from services import PrefectServices

from tests.tiny_flow import double

pytestmark = [pytest.mark.slow, pytest.mark.services]


def deploy_tiny(pool: str) -> None:
    """Make a work pool and a deployment of the tiny flow in it."""
    with get_client(sync_client=True) as client:
        client.create_work_pool(WorkPoolCreate(name=pool, type="process"), overwrite=True)
    tiny = RunnerDeployment.from_flow(
        double, pool, entrypoint_type=EntrypointType.MODULE_PATH, work_pool_name=pool
    )
    tiny.apply()


def read_run(run: UUID) -> FlowRun:
    with get_client(sync_client=True) as client:
        return client.read_flow_run(run)


def test_a_worker_runs_a_flow_and_the_server_still_knows_it_after_a_restart(
    prefect_services: PrefectServices,
) -> None:
    with prefect_services.connected():
        deploy_tiny("tiny")
        with prefect_services.worker("tiny"):
            run = run_deployment("tiny/tiny", parameters={"number": 21}, timeout=120)
        assert run.state is not None
        assert run.state.is_completed(), run.state
        prefect_services.server.restart()
        assert read_run(run.id).state == run.state


def test_a_database_that_is_killed_comes_back_and_the_server_goes_on(
    prefect_services: PrefectServices,
) -> None:
    with prefect_services.connected(), get_client(sync_client=True) as client:
        client.create_work_pool(WorkPoolCreate(name="kept", type="process"), overwrite=True)
        prefect_services.database.kill()
        prefect_services.database.start()
        assert client.read_work_pool("kept").name == "kept"


def sql(services: PrefectServices, statement: str, database: str = "prefect") -> str:
    return client_of(services, "psql", "-Atc", statement, database).strip()


def client_of(services: PrefectServices, program: str, *arguments: str | Path) -> str:
    """Run a program of PostgreSQL's as Prefect's user, and return what it prints."""
    password = {"PGPASSWORD": services.variables["POSTGRES_PASSWORD"]}
    where = ["--host=127.0.0.1", f"--port={services.ports['5432']}", "--username=prefect"]
    done = subprocess.run(
        [program, *where, *arguments],
        env={**services.database.environment, **password},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def finished_run(services: PrefectServices) -> UUID:
    """Run a flow in this process, and return its run."""
    with services.connected():
        state = double(2, return_state=True)
    assert state.state_details.flow_run_id is not None
    return state.state_details.flow_run_id


def test_a_database_is_dumped_while_all_runs_and_restored_beside_it(
    prefect_services: PrefectServices, tmp_path: Path
) -> None:
    kept = finished_run(prefect_services)
    dump = tmp_path / "prefect.dump"
    client_of(prefect_services, "pg_dump", "--format=custom", f"--file={dump}", "prefect")
    client_of(prefect_services, "createdb", "restored")
    client_of(prefect_services, "pg_restore", "--dbname=restored", "--exit-on-error", dump)
    asked = "SELECT state_name FROM flow_run WHERE id = '{}'"
    assert sql(prefect_services, asked.format(kept), "restored") == "Completed"


VACUUM = """
import asyncio
from prefect.server.database import provide_database_interface
from prefect.server.services import db_vacuum
from prefect.settings import get_current_settings

assert "flow_runs" in get_current_settings().server.services.db_vacuum.enabled_vacuum_types
asyncio.run(db_vacuum.vacuum_old_flow_runs(db=provide_database_interface()))
"""


def test_runs_that_ended_longer_ago_than_is_kept_are_removed_and_no_others(
    prefect_services: PrefectServices,
) -> None:
    """The hourly work of the background services, done at once with their settings."""
    old, young = finished_run(prefect_services), finished_run(prefect_services)
    aged = "UPDATE flow_run SET end_time = now() - interval '31 days' WHERE id = '{}'"
    sql(prefect_services, aged.format(old))
    told = [sys.executable, "-c", VACUUM]
    subprocess.run(told, env=prefect_services.background.environment, cwd=ROOT, check=True)
    with prefect_services.connected():
        assert read_run(young).id == young
        with pytest.raises(ObjectNotFound):
            read_run(old)


@pytest.mark.parametrize("password", ["", "operator:wrong"])
def test_who_has_not_the_password_is_refused(
    prefect_services: PrefectServices, password: str
) -> None:
    asked = httpx.BasicAuth(*password.split(":")) if password else None
    answer = httpx.get(f"{prefect_services.url}/admin/version", auth=asked)
    assert answer.status_code == 401


def test_a_command_with_a_wrong_password_says_which_one_is_meant(
    prefect_services: PrefectServices, tmp_path: Path
) -> None:
    wrong = {**prefect_services.environment, "PREFECT_API_AUTH_STRING": "operator:wrong"}
    told = command("run", wave_file(tmp_path / "c.yaml"), "--directory", tmp_path / "c")
    ended = subprocess.run(told, env=wrong, cwd=ROOT, capture_output=True, text=True, check=False)
    assert "refuses the password; set PREFECT_API_AUTH_STRING" in message_of(ended, 2)
    assert "operator:wrong" not in ended.stdout + ended.stderr


def test_who_has_the_password_but_no_token_changes_nothing(
    prefect_services: PrefectServices,
) -> None:
    known = httpx.BasicAuth(*prefect_services.variables["PREFECT_AUTH_STRING"].split(":"))
    body = {"name": "forged", "type": "process"}
    answer = httpx.post(f"{prefect_services.url}/work_pools/", json=body, auth=known)
    assert answer.status_code == 403
    assert "CSRF" in answer.text


def test_the_database_and_redis_refuse_a_wrong_password(prefect_services: PrefectServices) -> None:
    wrong = {**prefect_services.database.environment, "PGPASSWORD": "wrong"}
    port = prefect_services.ports["5432"]
    told = ["psql", "-h", "127.0.0.1", "-p", port, "-U", "prefect", "-c", "SELECT 1"]
    asked = subprocess.run(told, env=wrong, capture_output=True, text=True, check=False)
    assert "password authentication failed" in asked.stderr
    asked = subprocess.run(
        ["redis-cli", "-p", prefect_services.ports["6379"], "ping"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "NOAUTH" in asked.stdout


def test_no_secret_is_in_a_log_or_in_the_list_of_processes(
    prefect_services: PrefectServices,
) -> None:
    kept_secret = [v for k, v in prefect_services.variables.items() if k != "PREFECT_PORT"]
    logs = [log.read_text(errors="replace") for log in prefect_services.directory.rglob("log.txt")]
    running = prefect_services.running()
    lines = [Path(f"/proc/{process}/cmdline").read_text() for process in running]
    assert len(logs) >= 4
    assert len(lines) >= 4
    assert not any(word in text for text in [*logs, *lines] for word in kept_secret)


def test_a_service_that_ends_says_what_its_log_says(tmp_path: Path) -> None:
    told = ("sh", "-c", "echo no room left; exit 3")
    broken = Declared(told, {}, ("false",), signal.SIGTERM)
    service = Service("broken", broken, tmp_path, {"PATH": os.environ["PATH"]})
    with pytest.raises(AssertionError, match=r"broken ended: 3; its log ends:\nno room left"):
        service.start()
