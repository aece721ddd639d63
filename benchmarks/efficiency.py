"""Error against number of solver runs: each query strategy, paired seeds, six problems.

A seventh, `cavity`, is asked for by name: OpenFOAM solves its table, in a few minutes.

Every strategy of a seed begins with the same Sobol' design, networks and test set, and takes
equally many optimizer steps. ALC is the mean over steps of the log error against a baseline's
(below 0 is better); DER is how many times less a strategy spends than a baseline to the lowest
error that both reach (above 1 is better). Baselines are random choice and the Sobol' continuation.
Intervals are 95 % bootstrap intervals over seeds; p is Wilcoxon's signed rank test of the seeds'
ALC, also with Holm's correction. A strategy is KIND, KIND:KEY=VALUE,... or several with +, such as
hybrid:shortlist=8,beta=schedule or sbal:fraction=0.9+sobol:fraction=0.1. Finished curves and flows
are kept in benchmarks/results and not run again.
"""

import argparse
import hashlib
import multiprocessing
import shutil
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.comparison import Comparison
from benchmarks.curves import Curve, CurveStore, write_csv
from benchmarks.efficiency_picture import draw
from benchmarks.efficiency_size import (
    PROBLEMS,
    RESULTS,
    ROOT,
    USUAL,
    Size,
    plan_of,
    problem_of,
)
from benchmarks.efficiency_table import BASELINES, report
from benchmarks.problems import Problem, ReplayProblem
from benchmarks.progress import with_bar
from benchmarks.replay import Plan, run_curve
from benchmarks.strategy_name import queries_of, settings_of
from benchmarks.trial import digest_of
from pools.errors import UsageError
from reports.canvas import png
from strategies.settings import QuerySettings
from surrogates.settings import EnsembleSettings

STRATEGIES = (*BASELINES, "top_k", "sbal", "lcmd", "hybrid")


@dataclass(frozen=True, slots=True)
class Task:
    """One curve to run, and where it is kept.

    Attributes:
        problem: what is asked.
        plan: how much of it.
        strategy: name of the query strategies.
        trial: digest of what they do in a short run.
        seed: of everything that is drawn.
        queries: these, where the name does not say it.
    """

    problem: Problem
    plan: Plan
    strategy: str
    trial: str
    seed: int
    queries: tuple[QuerySettings, ...] = ()

    @property
    def store(self) -> CurveStore:
        """Curves of the same problem, plan, settings and code: no other is taken for them."""
        settings = settings_of(self.queries or queries_of(self.strategy))
        parts = (self.problem, self.problem.fingerprint, self.plan, settings, self.trial)
        key = hashlib.sha256(repr(parts).encode()).hexdigest()[:12]
        return CurveStore(RESULTS / "curves" / key)

    def kept(self) -> Curve | None:
        """Return the finished curve, if there is one."""
        return self.store.find(self.problem.name, self.strategy, self.seed)

    def run(self) -> Curve:
        """Run the curve and keep it, unless it is there."""
        found = self.kept()
        if found is not None:
            return found
        curve = run_curve(self.problem, self.plan, self.strategy, self.seed, self.queries)
        self.store.keep(curve)
        return curve


def main() -> None:
    """Run what is missing, print the tables, and write the curves and their picture."""
    options = _options()
    tasks = _tasks(options)
    for problem in {task.problem.name: task.problem for task in tasks}.values():
        if isinstance(problem, ReplayProblem):
            solve_table(problem, options.jobs)
    curves = run_all(tasks, options.jobs)
    comparisons = [Comparison.of(curves, name) for name in options.problems]
    _write(curves, comparisons, options)


def solve_table(problem: ReplayProblem, jobs: int) -> None:
    """Solve what the table lacks, with a bar, and say what failed."""
    table = problem.table
    total = table.size + table.test_samples
    for _ in with_bar(table.solve(jobs), f"{problem.name} table", total):
        pass
    failed = table.failures()
    print(f"{problem.name}: {total - failed} of {total} flows solved, {failed} failed")


def run_all(tasks: Sequence[Task], jobs: int) -> list[Curve]:
    """Run the tasks that are not kept, `jobs` at once; return the curves in the tasks' order."""
    missing = [task for task in tasks if task.kept() is None]
    print(f"{len(tasks) - len(missing)} of {len(tasks)} curves are kept from before")
    if jobs == 1:
        for task in with_bar(missing, "curves", len(missing)):
            task.run()
    else:
        _run_at_once(missing, jobs)
    return [task.run() for task in tasks]


def _run_at_once(tasks: Sequence[Task], jobs: int) -> None:
    context = multiprocessing.get_context("spawn")  # torch's threads do not survive a fork
    with ProcessPoolExecutor(jobs, mp_context=context) as executor:
        futures = [executor.submit(task.run) for task in tasks]
        try:
            for done in with_bar(as_completed(futures), "curves", len(tasks)):
                done.result()
        finally:
            _cancel(futures)


def _cancel(futures: Iterable[Future[Curve]]) -> None:
    """Drop what has not begun, so that an error or Ctrl-C ends the run at once."""
    for future in futures:
        future.cancel()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--full", action="store_true", help="20 seeds (10 on tables), 10 steps, 1,536 flows"
    )
    parser.add_argument("--seeds", type=int, help="paired runs of each strategy")
    parser.add_argument("--steps", type=int, help="turns of the loop")
    parser.add_argument("--table", type=int, help="flows to choose from")
    parser.add_argument("--members", type=int, help="networks of the ensemble (default 5)")
    parser.add_argument("--jobs", type=int, default=2, help="processes at once (default 2)")
    parser.add_argument("--problems", nargs="+", choices=PROBLEMS, default=list(USUAL))
    parser.add_argument("--strategies", nargs="+", default=list(STRATEGIES))
    parser.add_argument("--fresh", action="store_true", help="run finished curves again")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the tables there too")
    parser.add_argument("--publish", action="store_true", help="copy the picture to docs/pictures")
    options = parser.parse_args()
    try:
        for name in options.strategies:
            queries_of(name)
    except UsageError as error:
        parser.error(str(error))
    return options


def _size(options: argparse.Namespace) -> Size:
    """Return the full or the short size, with what was asked for otherwise."""
    size = Size.of(full=options.full)
    given = {name: getattr(options, name) for name in ("seeds", "steps", "table")}
    size = replace(size, **{name: value for name, value in given.items() if value})
    if options.seeds:
        size = replace(size, table_seeds=options.seeds)
    if options.members:
        changed = {**size.surrogate.model_dump(), "members": options.members}
        size = replace(size, surrogate=EnsembleSettings.model_validate(changed))
    return size


def _tasks(options: argparse.Namespace) -> list[Task]:
    """Return every curve that was asked for, the baselines always among them."""
    size = _size(options)
    names = dict.fromkeys([*BASELINES, *options.strategies])
    trials = {name: digest_of(queries_of(name)) for name in names}
    tasks = [
        Task(problem_of(name, size.table), plan_of(name, size), strategy, trial, seed)
        for seed in range(max(size.seeds, size.table_seeds))
        for name in options.problems
        if seed < size.seeds_of(name)
        for strategy, trial in trials.items()
    ]
    if options.fresh:
        for directory in {task.store.directory for task in tasks}:
            shutil.rmtree(directory, ignore_errors=True)
    return tasks


def _write(
    curves: Sequence[Curve], comparisons: Sequence[Comparison], options: argparse.Namespace
) -> None:
    name = "efficiency-full" if options.full else "efficiency"
    picture, tables = RESULTS / f"{name}.png", report(comparisons)
    print(f"\n{tables}")
    write_csv(RESULTS / f"{name}.csv", curves)
    picture.write_bytes(png(draw(comparisons)))
    print(f"curves in {RESULTS / name}.csv, picture in {picture}")
    if options.markdown:
        options.markdown.write_text(tables, encoding="utf-8")
    if options.publish:
        published = ROOT / "docs" / "pictures" / "efficiency.png"
        published.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(picture, published)


if __name__ == "__main__":
    main()
