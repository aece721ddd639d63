"""What all phase tasks share: results as JSON, kept under a key of campaign, step and sample."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from prefect.context import TaskRunContext
from prefect.tasks import exponential_backoff

from pools.errors import SolverError
from pools.outcome import Outcome
from solvers.policy import LabelPolicy


def cache_key(context: TaskRunContext, parameters: dict[str, Any]) -> str:
    """Name a result by campaign, step, phase and sample, so that a retried run finds it again."""
    pick = parameters.get("pick")
    parts = [parameters["campaign"].key, f"{parameters['step']:03d}", context.task.name]
    return "-".join([*parts, pick.sample.id] if pick is not None else parts)


PERSISTED: Mapping[str, Any] = MappingProxyType(
    {"persist_result": True, "result_serializer": "json", "cache_key_fn": cache_key}
)
"""Options of a task whose result a retried run finds again."""


def is_infrastructure_fault(_task: object, _run: object, state: Any) -> bool:  # noqa: ANN401
    """Say whether trying again unchanged may help: it never does after a numerical failure."""
    error = state.result(raise_on_failure=False)
    return isinstance(error, SolverError) and error.outcome is Outcome.INFRASTRUCTURE


def retry_options(policy: LabelPolicy) -> dict[str, Any]:
    """Return the options of a task that is retried with back-off."""
    delays = exponential_backoff(policy.retry_delay_seconds)(policy.retries)
    return {
        "retries": policy.retries,
        "retry_delay_seconds": delays,
        "retry_condition_fn": is_infrastructure_fault,
    }
