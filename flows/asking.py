"""Ask a person in the UI what is to be done where too few samples of a step were solved.

The flow run is suspended: its process ends, so that neither the server's restart nor the worker's
can lose the question. When a person resumes it with the form, it begins from the top, finds the
answer, and goes on where the campaign stands.
"""

from typing import Any, Literal, cast

from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import State
from prefect.flow_runs import suspend_flow_run
from prefect.input import RunInput
from prefect.input.run_input import Keyset
from prefect.runtime import deployment, flow_run
from pydantic import ConfigDict, Field

from phases.campaign import Campaign
from phases.failed import failed_samples
from pools.errors import SolverloopError

_A_WEEK = 7 * 24 * 3600
_SHOWN = 20

Choice = Literal["retry all", "retry with changed settings", "go on without them", "stop"]


class Answer(RunInput):
    """What is done about the samples that failed."""

    model_config = ConfigDict(use_attribute_docstrings=True, extra="forbid")

    choice: Choice = "retry all"
    """What is done."""
    changes: list[str] = Field(default=[], title="Changed settings")
    """For a retry with changed settings: `KEY=VALUE`, such as `relaxation.U=0.5`."""
    timeout_seconds: float | None = Field(default=None, gt=0, title="Deadline of each attempt")
    """Seconds; as the campaign says where it is left out."""


def answer() -> Answer | None:
    """Return what a person answered when this run was suspended; None where it was not asked."""
    if flow_run.run_count < 2 or (run_id := flow_run.id) is None:
        return None
    with get_client(sync_client=True) as client:
        states = client.read_flow_run_states(run_id)
    asked = _last_question(states)
    if asked is None or (keys := asked.state_details.run_input_keyset) is None:
        return None
    return cast(Answer, Answer.load(cast(Keyset, keys)))  # sync here: no promise


def can_ask() -> bool:
    """Whether this run can be suspended: only a deployment's run can be begun again."""
    return deployment.id is not None and flow_run.parent_flow_run_id is None


def ask(campaign: Campaign, why: SolverloopError) -> None:
    """Suspend this run until a person answers; does not return."""
    form = Answer.with_initial_data(description=_question(campaign, why))
    key = f"failed-samples-{flow_run.run_count}"
    suspend_flow_run(wait_for_input=form, timeout=_A_WEEK, key=key)


def _last_question(states: list[State[Any]]) -> State[Any] | None:
    """Return the suspension that a person ended last, unless the run has failed since then."""
    for state in sorted(states, key=lambda state: state.timestamp, reverse=True):
        if state.is_paused():
            return state
        if state.is_final():
            return None
    return None


def _question(campaign: Campaign, why: SolverloopError) -> str:
    failed = failed_samples(campaign)
    rows = "".join(
        f"| `{one.record.pick.sample.id}` | {one.last.outcome.value} | {one.last.reason} |\n"
        for one in failed[:_SHOWN]
    )
    more = f"\n... and {len(failed) - _SHOWN} more\n" if len(failed) > _SHOWN else ""
    return f"{why}\n\n| sample | outcome | reason |\n| --- | --- | --- |\n{rows}{more}"
