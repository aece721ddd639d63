"""Every label of a driver, on disk."""

import sqlite3
from pathlib import Path

import pytest

from phases.label_journal import LabelJournal
from pools.durable_queue import DurableQueue
from pools.errors import CampaignError, IntegrityError


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "run" / "labels.sqlite"


@pytest.fixture
def journal(file: Path) -> LabelJournal:
    """Return a journal of steps 0 (a, b), 1 (c) and 2 (d)."""
    kept = LabelJournal(file)
    for step, sample in ((0, "a"), (0, "b"), (1, "c"), (2, "d")):
        kept.keep(step, sample, [sample, step])
    return kept


def names(journal: LabelJournal, **steps: int) -> str:
    return "".join(kept.sample for kept in journal.labels(**steps))


def test_looking_makes_no_file(file: Path) -> None:
    assert list(LabelJournal(file).labels()) == []
    assert LabelJournal(file).count() == 0
    assert not file.parent.exists()


def test_labels_are_there_when_it_is_opened_again(journal: LabelJournal, file: Path) -> None:
    journal.close()
    assert list(file.parent.iterdir()) == [file]
    first = next(LabelJournal(file).labels())
    assert (first.number, first.step, first.sample, first.label) == (1, 0, "a", ["a", 0])


def test_labels_of_some_steps(journal: LabelJournal) -> None:
    assert [names(journal), names(journal, since=1), names(journal, before=1)] == [
        "abcd",
        "cd",
        "ab",
    ]
    assert journal.samples(before=2) == {"a", "b", "c"}
    assert journal.count(before=2) == 3


def test_a_label_changes_its_step(journal: LabelJournal) -> None:
    journal.assign(4, 0)
    journal.assign(1, None)
    assert names(journal) == "bdc"
    assert [kept.sample for kept in journal.spare()] == ["a"]
    journal.drop(1)
    assert list(journal.spare()) == []


def test_labels_may_be_kept_while_others_are_read(journal: LabelJournal) -> None:
    walk = journal.labels()
    next(walk)
    journal.keep(3, "e", "later")
    assert [kept.sample for kept in walk] == ["b", "c", "d"]


def test_a_damaged_label_is_named(journal: LabelJournal, file: Path) -> None:
    journal.close()
    with sqlite3.connect(file) as connection:
        connection.execute("UPDATE labels SET content = CAST('x' AS BLOB) WHERE number = 2")
    connection.close()
    with pytest.raises(IntegrityError, match=r"label 2 in .*labels\.sqlite: "):
        list(journal.labels())


def test_a_file_of_something_else_is_refused(file: Path) -> None:
    DurableQueue(file).close()
    with pytest.raises(IntegrityError, match="give the labels a path of their own"):
        LabelJournal(file).keep(0, "a", 1)
    file.write_bytes(b"These are no labels, but some bytes. " * 50)
    with pytest.raises(IntegrityError, match=r"holds no labels .*labelled again"):
        LabelJournal(file).count()


def test_a_place_that_cannot_be_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("in the way")
    with pytest.raises(CampaignError, match=r"cannot write .*resume from the last checkpoint"):
        LabelJournal(tmp_path / "a" / "labels.sqlite").keep(0, "a", 1)
