"""Two processes that train one learner: equal weights, equal pools, each sample labelled once."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from driver_ranks import SCENARIOS

Ranks = tuple[dict[str, Any], dict[str, Any]]

PATIENCE = 120.0  # seconds for all scenarios; a rank that waits for ever ends the test


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run all scenarios on two ranks and return their directory."""
    directory = tmp_path_factory.mktemp("ranks")
    processes = [
        subprocess.Popen(
            [sys.executable, "tests/driver_ranks.py", ",".join(SCENARIOS), rank, str(directory)],
            cwd=Path(__file__).parents[1],
            env={**os.environ, "PYTHONPATH": ".", "OMP_NUM_THREADS": "1"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in ("0", "1")
    ]
    try:
        said = [process.communicate(timeout=PATIENCE)[1] for process in processes]
    finally:
        for process in processes:
            process.kill()
            process.communicate()
    assert [process.returncode for process in processes] == [0, 0], "\n".join(said)
    return directory


def ranks(runs: Path, name: str) -> Ranks:
    first, second = (json.loads((runs / f"{name}-{rank}.json").read_text()) for rank in (0, 1))
    return first, second


def notes(runs: Path, what: str, place: str = "whole") -> list[tuple[int, Any]]:
    """Return who noted what while a run went, and the ones that went on from within."""
    lines = map(json.loads, (runs / place / "notes.jsonl").read_text().splitlines())
    return [(line["rank"], line["content"]) for line in lines if line["what"] == what]


@pytest.mark.parametrize(
    "name", ["whole", "again", "own_step", "plateau", "exhausted", "lbfgs", "shared_pool"]
)
def test_both_ranks_end_with_the_same(name: str, runs: Path) -> None:
    first, second = ranks(runs, name)
    assert first["weights"] == second["weights"]
    assert first["pool"] == second["pool"]
    assert (first["step"], first["stopped"]) == (second["step"], second["stopped"])


def test_each_sample_is_labelled_once_and_by_the_first_rank(runs: Path) -> None:
    noted = notes(runs, "label")
    assert {rank for rank, _ in noted} == {0}
    assert len(noted) == len({str(sample) for _, sample in noted}) == 9
    appended = [x for x, _ in ranks(runs, "whole")[0]["pool"][6:]]
    assert [sample for _, sample in noted] == appended


def test_query_and_metrology_are_the_first_ranks(runs: Path) -> None:
    assert {rank for rank, _ in [*notes(runs, "query"), *notes(runs, "metrology")]} == {0}
    first, second = ranks(runs, "whole")
    assert len(first["records"]) == 4
    assert second["records"] == []


def test_ranks_share_the_samples_of_an_epoch(runs: Path) -> None:
    """Six samples at first: three for each rank, in one batch of at most four, an epoch."""
    batches = {
        rank: [batch for who, batch in notes(runs, "batch") if who == rank][:4] for rank in (0, 1)
    }
    whole = sorted(x for x, _ in ranks(runs, "whole")[0]["pool"][:6])
    for mine, others in zip(batches[0], batches[1], strict=True):
        assert sorted(mine + others) == whole
    assert len({str(batch) for batch in batches[0]}) > 1


def test_resumed_on_both_ranks_equals_uninterrupted(runs: Path) -> None:
    again, whole = ranks(runs, "again"), ranks(runs, "whole")
    assert again[0] == whole[0]
    assert {**again[1], "records": []} == whole[1]  # both ranks are given the checkpoint's


def test_ranks_draw_different_numbers_in_every_epoch(runs: Path) -> None:
    drawn = notes(runs, "draw", "draws")
    first, second = ([x for rank, x in drawn if rank == own] for own in (0, 1))
    assert len(first) == len(second) > 10
    assert len({*first, *second}) == len(drawn)


@pytest.mark.parametrize("name", ["shared_pool", "shared_pool_again"])
def test_a_pool_on_disk_that_ranks_share_has_each_label_once(name: str, runs: Path) -> None:
    """Also where it is filled again; a run in which each rank has its own ends with as many."""
    for shared, own in zip(ranks(runs, name), ranks(runs, "draws"), strict=True):
        assert shared["pool"][:6] == own["pool"][:6]
        assert len(shared["pool"]) == len(own["pool"]) == 6 + 9
        assert len({str(x) for x, _ in shared["pool"]}) == 6 + 9
    lines = (runs / "shared_pool" / "pool.jsonl").read_text().splitlines()
    assert len(lines) == 6 + 9


def test_a_run_is_not_begun_twice_on_any_rank(runs: Path) -> None:
    first, second = ranks(runs, "twice")
    assert "holds a run; resume it" in first["error"]
    assert "the first process has failed" in second["error"]


@pytest.mark.parametrize(("name", "why"), [("label", "licence lost"), ("query", "no idea")])
def test_what_breaks_on_the_first_rank_ends_the_other(name: str, why: str, runs: Path) -> None:
    first, second = ranks(runs, f"broken_{name}")
    assert why in first["error"]
    assert "the first process has failed" in second["error"]
