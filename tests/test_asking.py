"""Which of a run's states is the question that a person answered last."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from plain_campaigns import start
from prefect.states import Cancelled, Failed, Pending, Running, State, Suspended

from flows.alone import NOT_BEGUN
from flows.asking import last_question, question
from pools.errors import TooFewLabelsError, UsageError

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def told(states: Sequence[State[Any]]) -> list[State[Any]]:
    """Return the states as a run has them one after the other, in any order."""
    for number, state in enumerate(states):
        state.timestamp = NOW + timedelta(seconds=number)
    return list(reversed(states))


def test_a_resumed_run_finds_its_last_question() -> None:
    states = [Running(), Suspended(), Pending(), Running(), Suspended(), Pending(), Running()]
    assert last_question(told(states)) is states[4]


@pytest.mark.parametrize("end", [Failed(), Cancelled(message="stopped by hand")])
def test_a_run_that_ended_since_then_asks_anew(end: State[Any]) -> None:
    assert last_question(told([Running(), Suspended(), Running(), end, Running()])) is None


def test_an_answer_is_kept_for_the_retry_of_a_run_that_was_not_begun() -> None:
    """Another run was at work when a person resumed it."""
    ended = Cancelled(message=f"{NOT_BEGUN}another process is running the campaign")
    states = [Running(), Suspended(), Pending(), Running(), ended, Running()]
    assert last_question(told(states)) is states[1]


def test_a_run_that_was_never_asked_has_no_question() -> None:
    assert last_question(told([Pending(), Running()])) is None


def test_a_question_gives_the_whole_reason_but_the_way_out_of_the_command_line(
    tmp_path: Path,
) -> None:
    campaign = start(tmp_path / "wave")
    wrong = UsageError("nonsense is not a setting; allowed are seconds; declare it")
    assert question(campaign, wrong).startswith(f"{wrong}. Without a solution:")
    few = TooFewLabelsError("only 2 of 3 were solved; give `solverloop retry`")
    assert question(campaign, few).startswith("Only 2 of 3 were solved. Without a solution:")
