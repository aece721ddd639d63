"""The query that knows every candidate's error, of the benchmark."""

from pathlib import Path

import numpy as np
import pytest
from tiny_ensemble import TINY

from benchmarks.measures import sample_errors
from benchmarks.oracle import knowing, write_truth
from benchmarks.problems import ReplayProblem, SolvedProblem
from benchmarks.replay import Plan, run_curve
from benchmarks.replay_table import ReplayTable
from pools.shard import write_shard
from pools.training import TrainingPool
from solvers.policy import LabelPolicy
from solvers.settings import AnalyticSettings
from strategies.settings import CallableSettings
from surrogates.fit import fit


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> ReplayTable:
    place, settings = tmp_path_factory.mktemp("table"), AnalyticSettings(problem="wave")
    space = SolvedProblem.of_closed_form("wave", 2).space
    table = ReplayTable(space, settings, LabelPolicy(), place, size=16, test_samples=4)
    assert len(list(table.solve(1))) == 20
    return table


@pytest.fixture(scope="module")
def truth(table: ReplayTable) -> Path:
    return write_truth(ReplayProblem("wave", table), table.directory)


def test_its_scores_are_the_true_errors_of_the_candidates(
    table: ReplayTable, truth: Path, tmp_path: Path
) -> None:
    write_shard(
        tmp_path / "four.h5", [table.answer(s) for s in table.solved()[:4]], table.space.names
    )
    with TrainingPool([tmp_path / "four.h5"]) as pool, TrainingPool([truth]) as everything:
        learner = fit(pool, table.space, TINY, 1).surrogate
        errors = sample_errors(learner, everything)
    order = np.random.default_rng(1).permutation(np.arange(4, 16))
    labelled, rng = table.rows[:4], np.random.default_rng(2)
    chosen = knowing(table.rows[order], labelled, learner, 3, rng, truth=str(truth))
    np.testing.assert_array_equal(chosen.scores, errors[order])
    assert len(set(chosen.indices.tolist())) == 3


def test_it_runs_a_curve(table: ReplayTable, truth: Path) -> None:
    asks = CallableSettings(function="benchmarks.oracle:knowing", arguments={"truth": str(truth)})
    plan = Plan(initial=4, per_step=2, steps=1, surrogate=TINY)
    points = run_curve(ReplayProblem("wave", table), plan, "oracle", 1, (asks,)).points
    assert [point.labelled for point in points] == [4, 6]
