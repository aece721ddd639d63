"""How much a query could gain at most: one that knows the true error of every candidate.

The candidates are the flows of a table, so their errors can be looked at. The oracle is the hybrid
with the candidates' true squared errors in place of the variances, anew each step; no campaign can
have it. It is greedy, so a better one may exist; what a query lacks against it is what a better
estimate of the error could bring. Curves and flows are those of `benchmarks.efficiency`.
"""

import argparse
import hashlib
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.comparison import Comparison
from benchmarks.efficiency import Task, run_all, solve_table
from benchmarks.efficiency_size import RESULTS, TABLES, Size, plan_of, problem_of
from benchmarks.efficiency_table import BASELINES, report
from benchmarks.measures import sample_errors
from benchmarks.problems import ReplayProblem
from benchmarks.strategy_name import queries_of
from benchmarks.trial import digest_of
from pools.shard import write_shard
from pools.training import TrainingPool
from strategies.acquisition import Selection
from strategies.clustering import largest_cluster_picks
from strategies.features import features_of
from strategies.settings import CallableSettings
from surrogates.prediction import Learner

Array = NDArray[np.float64]

ORACLE = "oracle"
STRATEGIES = (*BASELINES, "lcmd", "hybrid")


def main() -> None:
    """Run what is missing, and print the tables."""
    options = _options()
    size = Size(1, options.seeds, options.steps, options.table, Size.of(full=False).surrogate)
    problem = problem_of(options.problem, size.table)
    assert isinstance(problem, ReplayProblem), "each of TABLES is one"
    solve_table(problem, options.jobs)
    truth = write_truth(problem)
    curves = run_all(_tasks(problem, size, truth), options.jobs)
    print(f"\n{report([Comparison.of(curves, problem.name)])}")


def knowing(
    candidates: Array,
    labelled: Array,
    learner: Learner,
    k: int,
    rng: np.random.Generator,  # noqa: ARG001 - an acquisition's signature
    truth: str,
) -> Selection:
    """Choose by LCMD, with distances that count by the candidates' true squared errors ** 0.5.

    Args:
        candidates: rows of the table, shape (n, d).
        labelled: points that have their solution, shape (m, d).
        learner: the surrogate.
        k: how many to choose.
        rng: unused; nothing is drawn.
        truth: a shard with the solutions of all rows of the table.
    """
    with TrainingPool([Path(truth)]) as pool:
        errors = sample_errors(learner, pool)
    where = _places(truth)
    weights = errors[[where[tuple(row)] for row in candidates.tolist()]]
    both = features_of(learner, candidates, labelled, "gradients", ORACLE)
    picks = largest_cluster_picks(*both, k, (weights / weights.max()).astype(np.float32))
    return Selection(picks.indices, weights)


@cache
def _places(truth: str) -> dict[tuple[float, ...], int]:
    """Return which sample of the shard each point is."""
    with TrainingPool([Path(truth)]) as pool:
        return {tuple(row): place for place, row in enumerate(pool.parameters.tolist())}


def write_truth(problem: ReplayProblem, results: Path = RESULTS) -> Path:
    """Write the solutions of all rows of the table into one shard, unless it is there."""
    rows = problem.table.solved()
    digest = hashlib.sha256(" ".join(sample.id for sample in rows).encode()).hexdigest()[:12]
    file = results / f"{problem.name}-truth-{digest}.h5"
    if not file.exists():
        write_shard(file, [problem.table.answer(sample) for sample in rows], problem.space.names)
    return file


def _tasks(problem: ReplayProblem, size: Size, truth: Path) -> list[Task]:
    plan = plan_of(problem.name, size)
    trials = {name: digest_of(queries_of(name)) for name in STRATEGIES}
    know = CallableSettings(function="benchmarks.oracle:knowing", arguments={"truth": str(truth)})
    return [
        task
        for seed in range(size.table_seeds)
        for task in (
            *(Task(problem, plan, name, trial, seed) for name, trial in trials.items()),
            Task(problem, plan, ORACLE, trials["hybrid"], seed, (know,)),  # as its code is
        )
    ]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--problem", choices=TABLES, default="channel")
    parser.add_argument("--seeds", type=int, default=3, help="paired runs (default 3)")
    parser.add_argument("--steps", type=int, default=6, help="turns of the loop (default 6)")
    parser.add_argument("--table", type=int, default=400, help="flows to choose from (400)")
    parser.add_argument("--jobs", type=int, default=2, help="processes at once (default 2)")
    return parser.parse_args()


if __name__ == "__main__":
    main()
