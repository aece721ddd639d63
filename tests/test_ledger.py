"""The ledger: append-only, and whole after any kill."""

from pathlib import Path

import pytest

from pools.errors import CampaignError, IntegrityError
from pools.files import digest
from pools.ledger import Entry, Ledger


def entry(step: int, phase: str = "train") -> Entry:
    return Entry(step, phase, seed=7, summary={"loss": 0.5}, seconds=1.25)


def test_entries_come_back_in_order(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.jsonl")
    assert ledger.entries() == []
    for step in range(3):
        ledger.append(entry(step))
    assert ledger.entries() == [entry(0), entry(1), entry(2)]
    assert ledger.find(1, "train") == entry(1)
    assert ledger.find(1, "query") is None


@pytest.mark.parametrize("cut", [1, 5, 20])
def test_a_cut_last_line_never_was(tmp_path: Path, cut: int) -> None:
    ledger = Ledger(tmp_path / "ledger.jsonl")
    ledger.append(entry(0))
    ledger.append(entry(1))
    content = ledger.path.read_bytes()
    ledger.path.write_bytes(content[:-cut])
    assert ledger.entries() == [entry(0)]
    ledger.append(entry(1))
    assert ledger.path.read_bytes() == content


def test_a_cut_first_line_never_was(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.jsonl")
    ledger.path.write_bytes(b'{"step": 0, "ph')
    ledger.append(entry(0))
    assert ledger.entries() == [entry(0)]


def test_a_damaged_line_is_named(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.jsonl")
    ledger.append(entry(0))
    ledger.path.write_bytes(b"garbage\n" + ledger.path.read_bytes())
    with pytest.raises(IntegrityError, match=r"ledger\.jsonl line 1 is not an entry"):
        ledger.entries()


def test_an_unwritable_ledger_is_explained(tmp_path: Path) -> None:
    with pytest.raises(CampaignError, match="nothing solved is lost"):
        Ledger(tmp_path / "missing" / "ledger.jsonl").append(entry(0))


def test_verify_names_what_is_missing_and_what_differs(tmp_path: Path) -> None:
    file = tmp_path / "shard.h5"
    file.write_bytes(b"abc")
    recorded = Entry(0, "append", 0, artifacts={"shard.h5": digest(file)})
    recorded.verify(tmp_path)
    file.write_bytes(b"abd")
    with pytest.raises(IntegrityError, match=r"shard\.h5 differs from what the ledger recorded"):
        recorded.verify(tmp_path)
    file.unlink()
    with pytest.raises(IntegrityError, match=r"shard\.h5 is missing"):
        recorded.verify(tmp_path)
