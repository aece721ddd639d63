"""A driver as a flow: its phases are tasks of their names, and what it comes to is the same."""

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from driver_examples import driver, outcome
from flow_runs import tree

from flows.driver import run_driver

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("prefect_api")]


def test_phases_are_tasks_of_their_names(tmp_path: Path) -> None:
    one, plain = driver(tmp_path / "flow"), driver(tmp_path / "plain")
    state: Any = run_driver(one, return_state=True)
    assert state.result() == "3 of 3 steps done"
    plain.run()
    assert outcome(one) == outcome(plain)
    expected = [
        *(f"{phase}-step{step:03d}" for step in range(3) for phase in _PHASES),
        *("train-step003", "metrology-step003"),
    ]
    assert _names(state, len(expected)) == Counter(expected)


_PHASES = ("train", "metrology", "query", "label")


def _names(state: Any, count: int) -> Counter[str]:
    """Return the task runs' names once the server, which records with a delay, knows so many."""
    for _ in range(100):
        [flow_run], task_runs = tree(state)
        if len(task_runs) >= count:
            break
        asyncio.run(asyncio.sleep(0.1))
    assert flow_run.name == "run"
    return Counter(run.name for run in task_runs)
