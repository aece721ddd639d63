"""Progress as plain lines in a pipe, as bars on a terminal."""

import io
import logging
from collections.abc import Callable

import pytest
from rich.console import Console
from rich.table import Table

from flows.console import shown, standard_output
from phases.progress import LOGGER, tell

TERMINAL = {"force_terminal": True, "width": 100, "legacy_windows": False}


def printed(work: Callable[[], None], **console: bool | int) -> str:
    output = io.StringIO()
    with shown(Console(file=output, **console)):  # type: ignore[arg-type]
        work()
    return output.getvalue()


def training() -> None:
    for done in (1, 2, 3):
        tell("train", done, 3, f"loss {1 / done:.2f}")


def test_in_a_pipe_progress_is_its_last_line() -> None:
    assert printed(training) == "train: 3 of 3 loss 0.33\n"


def test_in_a_pipe_long_work_is_told_every_few_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0.0, 1.0, 6.0, 6.0, 7.0, 13.0, 13.0])

    def labelling() -> None:
        for done in (1, 2, 3, 4):
            tell("label", done, 64)

    monkeypatch.setattr("flows.console.time.monotonic", lambda: next(clock))
    assert printed(labelling) == "label: 2 of 64\nlabel: 4 of 64\n"


def test_in_a_pipe_other_messages_are_lines_and_are_not_wrapped_or_marked_up() -> None:
    message = "plateau: [bold] " + "x" * 300
    text = printed(lambda: logging.getLogger(f"{LOGGER}.stopping").info("%s", message))
    assert text == f"{message}\n"


def test_on_a_terminal_progress_is_a_bar() -> None:
    text = printed(lambda: tell("train", 2, 3, "loss [0.5]"), **TERMINAL)
    assert "━" in text
    assert "2/3" in text
    assert "loss [0.5]" in text


def test_on_a_terminal_finished_work_leaves_a_line() -> None:
    assert "train: 3 of 3 loss 0.33\n" in printed(training, **TERMINAL)


def test_on_a_terminal_other_messages_stand_above_the_bar_as_they_are() -> None:
    def work() -> None:
        tell("train", 1, 3)
        logging.getLogger(LOGGER).info("%s", "got [b], which is no [/markup]")

    assert "got [b], which is no [/markup]" in printed(work, **TERMINAL)


def test_nothing_is_shown_afterwards() -> None:
    handlers = list(logging.getLogger(LOGGER).handlers)
    printed(training)
    assert logging.getLogger(LOGGER).handlers == handlers


def test_standard_output_is_wide_in_a_pipe(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    standard_output().print("word " * 60)
    assert capsys.readouterr().out.count("\n") == 1


def test_in_a_pipe_too_a_table_is_as_wide_as_columns_says(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "50")
    table = Table("sample", "reason")
    table.add_row("8f07879d", "word " * 60)
    standard_output().print(table)
    assert max(map(len, capsys.readouterr().out.splitlines())) == 50
