"""Killed anywhere and run again, a driver ends as if it had never been killed; labels are kept."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from driver_kills import Place

ALL = {f"checkpoint_on_{name}": True for name in ("training", "metrology", "query", "labeling")}
EPOCHS = {"model_checkpoint_frequency": 1, "reset_optim_states": False}
NONE = {"checkpoint_interval": 0}

LABEL = "__main__"
STORE = {"durable": ("pools.durable_queue", "DurableQueue.put"), "queue": ("queue", "Queue.put")}
A_STEP = 6  # a step puts the three samples that are chosen, and then three labels


def case(*kills: Place, queue: str = "durable", pool: str = "list", **flags: Any) -> Any:
    return {"kills": kills, "queue": queue, "pool": pool, "flags": flags}


def of_both(queue: str) -> dict[str, Any]:
    """Return the cases that there are for each kind of queue, by name."""
    put = STORE[queue]
    cases = {
        # the first training, before any checkpoint
        "first training": case(("surrogates.epochs", "announce", 2), queue=queue),
        "after epoch 2": case(("surrogates.epochs", "announce", 3), queue=queue, **EPOCHS),
        "after epoch 2 of step 1": case(
            ("surrogates.epochs", "announce", 7), queue=queue, **EPOCHS
        ),
        "first metrology": case(("driver_examples", "Error.compute", 1), queue=queue),
        "metrology": case(("driver_examples", "Error.compute", 2), queue=queue, **ALL),
        "after metrology": case(("phases.driver_step", "query", 2), queue=queue),
        "first query, after one put": case((*put, 2), queue=queue),
        "query, after one put": case((*put, A_STEP + 2), queue=queue),
        "query, chosen and not yet left": case(
            ("phases.driver_query", "count_of", 2), queue=queue, **ALL
        ),
        "label, the first": case((LABEL, "Counting.solve", 1), queue=queue),
        "label, between get and put": case((LABEL, "Counting.solve", 5), queue=queue),
        "label, after put": case((LABEL, "Counting.done", 5), queue=queue, **ALL),
        "label, after the last put": case((LABEL, "Counting.done", 6), queue=queue),
        "label, kept but not put": case((*put, 2 * A_STEP - 1), queue=queue),
        "label, no checkpoint": case((LABEL, "Counting.done", 2), queue=queue, **NONE),
        "label, no checkpoint, step 1": case((LABEL, "Counting.solve", 5), queue=queue, **NONE),
        "append": case((LABEL, "Pool.append", 5), queue=queue),
        "append, to a kept pool": case((LABEL, "KeptPool.append", 11), queue=queue, pool="kept"),
        "before append": case(("phases.driver_pool", "DriverPool.append_all", 2), queue=queue),
        "twice": case(
            (LABEL, "Counting.done", 1), (LABEL, "Counting.solve", 2), queue=queue, **EPOCHS
        ),
    }
    return {f"{queue}: {name}": content for name, content in cases.items()}


CASES = {
    **of_both("durable"),
    **of_both("queue"),
    # a checkpoint is two files, and each is synchronised before and after it has its name
    **{
        f"fsync {n}": case(("pools.files", "_fsync", n), **flags)
        for n, flags in ((1, {}), (2, {}), (3, {}), (4, {}), (7, {}), (10, ALL), (19, ALL))
    },
}
REFERENCES = {
    f"reference {n}": case(**flags) for n, flags in enumerate(({}, {"reset_optim_states": False}))
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run all cases and return their directory."""
    directory = tmp_path_factory.mktemp("kills")
    (directory / "cases.json").write_text(json.dumps({**REFERENCES, **CASES}))
    program = [sys.executable, "tests/driver_kills.py"]
    ended = subprocess.run(
        [*program, str(directory / "cases.json"), str(directory)],
        cwd=Path(__file__).parents[1],
        env={**os.environ, "PYTHONPATH": ".", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    (directory / "stderr.txt").write_text(ended.stderr)
    assert ended.returncode == 0, ended.stderr
    return directory


@pytest.mark.parametrize("name", CASES)
def test_a_killed_run_ends_as_one_that_was_not(name: str, runs: Path) -> None:
    kept = not CASES[name]["flags"].get("reset_optim_states", True)
    codes = json.loads((runs / name / "codes.json").read_text())
    assert codes[:-1] == [-signal.SIGKILL] * len(CASES[name]["kills"]), "not killed on the way"
    assert codes[-1] == 0, (runs / "stderr.txt").read_text()
    found, reference = come_to(runs / name), come_to(runs / f"reference {int(kept)}")
    labelled = found.pop("labelled")
    assert len(set(labelled)) == len(labelled)
    assert sorted(labelled) == sorted(reference.pop("labelled"))
    assert found == reference


def come_to(directory: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((directory / "outcome.json").read_text())
    return content
