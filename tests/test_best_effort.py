"""What a server cannot be told stops nothing."""

import logging

import pytest

from tasks.best_effort import best_effort


def test_what_is_told_is_returned() -> None:
    assert best_effort("a number", lambda: 3) == 3


def test_a_server_that_is_away_is_warned_of_once_and_the_work_goes_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def away() -> int:
        raise ConnectionError("All connection attempts failed")

    with caplog.at_level(logging.WARNING):
        assert best_effort("which samples failed", away) is None
    assert [record.getMessage() for record in caplog.records] == [
        "the Prefect server cannot be told which samples failed (ConnectionError: All connection "
        "attempts failed); the work goes on, and the campaign's directory has it all"
    ]


def test_a_person_who_interrupts_is_obeyed() -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        best_effort("anything", interrupted)
