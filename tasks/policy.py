"""The policy of solving: what Prefect keeps of a sample, and when it tries again.

The other phases need none: the ledger says what is done, and doing it again is a look at it.
"""

from typing import Any

from prefect.context import TaskRunContext
from prefect.tasks import exponential_backoff

from pools.errors import SolverError
from pools.outcome import Outcome
from solvers.policy import LabelPolicy


def cache_key(_context: TaskRunContext, parameters: dict[str, Any]) -> str:
    """Name a result by campaign, step and sample, so that a retried run finds it again."""
    campaign, step, pick = (parameters[name] for name in ("campaign", "step", "pick"))
    return f"{campaign.key}-{step:03d}-{pick.sample.id}"


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
