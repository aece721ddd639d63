"""How many samples have room at once, and what is refused before anything is solved."""

import logging
import sys
from pathlib import Path
from typing import Any

import pytest
from openfoam_cases import cavity
from plain_campaigns import QUICK, start

from phases.cluster_settings import LocalClusterSettings
from phases.config import CampaignConfig, parse
from phases.preflight import check_runner
from phases.retry import plan_retry
from phases.runner_settings import DaskSettings
from phases.slots import needs, ranks, room, slot_problems
from pools.errors import UsageError
from solvers.build import build
from solvers.label import ByHand

COMMAND = {"kind": "command", "command": ["mpirun", "-np", "{ranks}"], "quantities": {"drag": "N"}}
JOB = {"kind": "slurm", "cores": 8, "memory_gib": 16}


def config(ranks: int = 1, **changes: Any) -> CampaignConfig:
    return parse({**QUICK, "solver": {**COMMAND, "ranks": ranks}, **changes}, "test")


def on(cluster: dict[str, Any]) -> dict[str, Any]:
    return {"kind": "dask", "cluster": cluster}


def test_a_sample_needs_a_core_for_each_rank_and_memory_for_each_rank() -> None:
    assert needs(config()) == {"cores": 1}
    assert needs(config(4, label={"memory_gib": 1.5})) == {"cores": 4, "memory_gib": 6.0}


def test_the_ranks_of_a_rung_count() -> None:
    rung = {"name": "wider", "set": {"ranks": 6}}
    assert ranks(config(2, label={"recovery": [rung]})) == 6


def test_the_ranks_of_a_case_count() -> None:
    solver = cavity().model_copy(update={"ranks": 3})
    units = {"reynolds": {"low": 50, "high": 150}, "aspect": {"low": 0.9, "high": 1.1}}
    changes = {"parameters": units, "solver": solver.model_dump(mode="json")}
    assert ranks(parse({**QUICK, **changes}, "test")) == 3


@pytest.mark.parametrize(
    ("cores", "memory", "found"), [(8, 64.0, 4), (9, 64.0, 4), (1, 64.0, 0), (8, 9.0, 2)]
)
def test_a_machine_has_room_for_what_its_cores_and_its_memory_take(
    cores: int, memory: float, found: int
) -> None:
    assert room(config(2, label={"memory_gib": 2}), cores, memory) == found


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"label": {"workers": 3}}, "label.workers is 3 and each sample runs on 2 ranks: 6 ranks"),
        ({"runner": on({"kind": "local", "workers": 4})}, "set runner.cluster.workers to 2 or"),
        ({"runner": on({**JOB, "cores": 1})}, "a job has cores 1, memory_gib 16, but a sample"),
        (
            {"runner": on(JOB), "label": {"memory_gib": 9}},
            "a sample takes cores 2, memory_gib 18; ask for larger jobs",
        ),
    ],
)
def test_samples_without_room_are_refused_with_the_way_out(
    changes: dict[str, Any], said: str
) -> None:
    [problem] = slot_problems(config(2, **changes), cores=4)
    assert said in problem


@pytest.mark.parametrize(
    "changes",
    [
        {"label": {"workers": 2}},
        {"label": {"workers": 3}, "runner": {"kind": "threads", "oversubscribe": True}},
        {"runner": on({"kind": "local", "workers": 4, "oversubscribe": True})},
        {"runner": on({**JOB, "cores": 2})},
        {"runner": on({"kind": "scheduler", "address": "tcp://there:8786"})},
    ],
)
def test_samples_with_room_or_leave_are_not_refused(changes: dict[str, Any]) -> None:
    assert slot_problems(config(2, **changes), cores=4) == []


def test_more_ranks_than_cores_are_refused_at_the_door() -> None:
    with pytest.raises(UsageError, match=r"lower solver\.ranks to"):
        check_runner(config(1000))


def test_more_samples_of_one_rank_than_cores_are_only_told_of(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.WARNING):
        check_runner(config(label={"workers": 256}))
    assert "label.workers is 256 on" in caplog.text


def test_a_runner_without_kind_is_threads_and_a_cluster_without_one_local() -> None:
    changes = {"label": {"workers": 3}, "runner": {"oversubscribe": True}}
    assert slot_problems(config(2, **changes), cores=4) == []
    found = config(runner={"kind": "dask", "cluster": {"workers": 7}}).runner
    assert found == DaskSettings(kind="dask", cluster=LocalClusterSettings(workers=7))


def test_a_retry_by_hand_on_more_ranks_than_cores_is_refused(tmp_path: Path) -> None:
    solver = {**COMMAND, "command": [sys.executable, "-c", "pass"], "ranks": 1}
    campaign = start(tmp_path / "wide", solver=solver)
    with pytest.raises(UsageError, match="each sample runs on 1000 ranks"):
        plan_retry(campaign, by_hand=ByHand({"ranks": 1000}))


def test_dask_that_is_not_installed_is_refused_with_the_way_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "dask_jobqueue", None)
    with pytest.raises(UsageError, match=r"dask_jobqueue cannot be imported; install with") as no:
        check_runner(config(runner={"kind": "dask"}))
    assert "pip install 'solverloop[dask]'" in str(no.value)


@pytest.mark.parametrize(
    ("cluster", "said"),
    [
        ({"kind": "local", "workers": 0}, "workers"),
        ({"kind": "scheduler", "address": "there:8786"}, "address"),
        ({**JOB, "kind": "lsf"}, "kind"),
        ({**JOB, "cores": 0}, "cores"),
        ({"kind": "slurm", "memory_gib": 4}, "cores"),
        ({**JOB, "walltime": "an hour"}, "walltime"),
        ({**JOB, "jobs": {"least": 3, "most": 2}}, "least is 3 and most is 2; swap them"),
        ({**JOB, "queue": "short\n#SBATCH --uid=0"}, "queue"),
        ({**JOB, "prologue": ["module load openfoam\nrm -r x"]}, "prologue"),
        ({**JOB, "nodes": 2}, "nodes"),
    ],
)
def test_a_cluster_that_cannot_be_is_refused(cluster: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        config(runner=on(cluster))


def test_the_number_of_ranks_is_no_part_of_what_a_command_answers() -> None:
    assert build(config(1).solver).fingerprint == build(config(4).solver).fingerprint
