"""Ask a person in the UI what is to be done where too few samples of a step were solved.

The flow run is suspended: its process ends, so that neither the server's restart nor the worker's
can lose the question. When a person resumes it with the form, it begins from the top, finds the
answer, and goes on where the campaign stands.
"""

from typing import Any, Literal, cast
from uuid import UUID

from prefect import get_run_logger
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import State
from prefect.flow_runs import suspend_flow_run
from prefect.input import RunInput
from prefect.input.run_input import Keyset
from prefect.runtime import deployment, flow_run
from pydantic import ConfigDict, Field

from flows.alone import NOT_BEGUN
from phases.accepted import unsolved
from phases.campaign import Campaign
from phases.failed import failed_of
from pools.errors import SolverloopError, TooFewLabelsError

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
    asked = last_question(_states()) if can_ask() else None
    if asked is None or (keys := asked.state_details.run_input_keyset) is None:
        return None
    return cast(Answer, Answer.load(cast(Keyset, keys)))  # sync here: no promise


def can_ask() -> bool:
    """Whether this run can be suspended: only a deployment's run can be begun again."""
    return deployment.id is not None and flow_run.parent_flow_run_id is None


def ask(campaign: Campaign, why: SolverloopError) -> None:
    """Suspend this run until a person answers; does not return."""
    text = question(campaign, why)
    get_run_logger().warning("%s\nResume this run in the UI to say what is done", text)
    form = Answer.with_initial_data(description=text)
    number = sum(state.is_paused() for state in _states())  # a key is good for one question
    suspend_flow_run(wait_for_input=form, timeout=_A_WEEK, key=f"failed-samples-{number}")


def _states() -> list[State[Any]]:
    """Return all states that this run has had."""
    with get_client(sync_client=True) as client:
        return client.read_flow_run_states(UUID(flow_run.id))


def last_question(states: list[State[Any]]) -> State[Any] | None:
    """Return the suspension that a person ended last, unless the run has failed since then."""
    for state in sorted(states, key=lambda state: state.timestamp, reverse=True):
        if state.is_paused():
            return state
        if state.is_final() and not (state.message or "").startswith(NOT_BEGUN):
            return None
    return None


def question(campaign: Campaign, why: SolverloopError) -> str:
    """Return what a person is asked: why, and which samples have no solution, in Markdown."""
    failed = [failed_of(campaign, record) for record in unsolved(campaign)]
    lines = [
        f"- `{one.record.pick.sample.id}` ({one.record.pick.asked_by}) "
        f"{one.last.outcome.value}: {one.last.reason}"
        for one in failed[:_SHOWN]
    ]
    more = [f"- ... and {len(failed) - _SHOWN} more"] if len(failed) > _SHOWN else []
    said = str(why)
    if isinstance(why, TooFewLabelsError):
        said, _, _ = said.partition(";")  # the rest is for the command line
        said = said[:1].upper() + said[1:]
    return "\n".join([f"{said}. Without a solution:\n", *lines, *more])
