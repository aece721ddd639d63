"""What a Prefect server knows of a flow run: the runs below it, and the artifacts."""

import asyncio
from collections import Counter
from typing import Any

from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId
from prefect.client.schemas.objects import Artifact, FlowRun, TaskRun


def tree(state: Any) -> tuple[list[FlowRun], list[TaskRun]]:
    """Return the flow runs and task runs below a flow run, as the server knows them."""

    async def read() -> tuple[list[FlowRun], list[TaskRun]]:
        async with get_client() as client:
            flow_runs, task_runs = [], []
            waiting = [state.state_details.flow_run_id]
            while waiting:
                flow_run = await client.read_flow_run(waiting.pop())
                flow_runs.append(flow_run)
                only = FlowRunFilter(id=FlowRunFilterId(any_=[flow_run.id]))
                tasks = await client.read_task_runs(flow_run_filter=only, limit=200)
                task_runs += tasks
                children = [t.state.state_details.child_flow_run_id for t in tasks if t.state]
                waiting += [child for child in children if child]
            return flow_runs, task_runs

    return asyncio.run(read())


def settled(state: Any, count: int) -> tuple[list[FlowRun], list[TaskRun]]:
    """Return the tree once the server, which records with a delay, knows `count` solves."""
    for _ in range(100):
        flow_runs, task_runs = tree(state)
        solves = [t for t in task_runs if t.name.startswith("solve-")]
        if len(solves) >= count and all(t.state and t.state.is_final() for t in solves):
            return flow_runs, task_runs
        asyncio.run(asyncio.sleep(0.1))
    raise AssertionError(f"only {len(solves)} of {count} solves were recorded")


def solves(task_runs: list[TaskRun]) -> Counter[str]:
    names = [t.state.name for t in task_runs if t.state and t.name.startswith("solve-")]
    return Counter(names)


def read_artifacts() -> dict[str, Any]:
    """Return the newest content of each artifact by its key."""
    return {a.key: a.data for a in asyncio.run(_read_artifacts()) if a.key}


def read_kinds() -> dict[str, str]:
    """Return the kind of each artifact by its key."""
    return {a.key: a.type for a in asyncio.run(_read_artifacts()) if a.key and a.type}


async def _read_artifacts() -> list[Artifact]:
    async with get_client() as client:
        return list(await client.read_latest_artifacts(limit=200))
