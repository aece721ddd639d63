"""The services of docker/compose.yaml, run for real: PostgreSQL, Redis, Prefect, a worker."""

from uuid import UUID

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.client.schemas.objects import FlowRun
from prefect.deployments import run_deployment
from prefect.deployments.runner import RunnerDeployment
from prefect.flows import EntrypointType
from services import PrefectServices

from tests.tiny_flow import double

pytestmark = pytest.mark.slow


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
            run = run_deployment("tiny/tiny", parameters={"number": 21}, timeout=60)
        assert run.state is not None
        assert run.state.is_completed(), run.state
        prefect_services.server.restart()
        assert read_run(run.id).state == run.state
