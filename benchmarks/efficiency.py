"""Error against number of solver runs: each query strategy, paired seeds, four problems.

Every strategy of a seed begins with the same Sobol' design, networks and test set, and takes
equally many optimizer steps. ALC is the mean over steps of the log error against random choice
(below 0 is better); DER is how many times fewer labels reach the lowest error that both it and
random choice reach (above 1 is better). Both with a 95 % bootstrap interval over seeds. Finished
curves and flows are kept in benchmarks/results and not run again.
"""

import argparse
import hashlib
import multiprocessing
import shutil
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from typing import TypeVar

from rich.console import Console
from rich.progress import track

from benchmarks.curves import Curve, CurveStore, write_csv
from benchmarks.efficiency_picture import draw
from benchmarks.efficiency_size import PROBLEMS, RESULTS, ROOT, Size, plan_of, problem_of
from benchmarks.efficiency_table import BASELINE, Comparison, print_comparison, print_overall
from benchmarks.problems import Problem, ReplayProblem
from benchmarks.replay import Plan, query_of, run_curve
from reports.canvas import png

Item = TypeVar("Item")

STRATEGIES = (BASELINE, "sobol", "top_k", "sbal")


@dataclass(frozen=True, slots=True)
class Task:
    """One curve to run, and where it is kept."""

    problem: Problem
    plan: Plan
    strategy: str
    seed: int

    @property
    def store(self) -> CurveStore:
        """Curves of the same problem and plan: others can never be taken for them."""
        setup = f"{self.problem!r} {self.problem.fingerprint} {self.plan!r}"
        key = hashlib.sha256(setup.encode()).hexdigest()[:12]
        return CurveStore(RESULTS / "curves" / key)

    def run(self) -> Curve:
        """Run the curve and keep it, unless it is there."""
        found = self.store.find(self.problem.name, self.strategy, self.seed)
        if found is not None:
            return found
        curve = run_curve(self.problem, self.plan, self.strategy, self.seed)
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
    for comparison in comparisons:
        print_comparison(comparison)
    print_overall(comparisons)
    _write(curves, comparisons, options)


def solve_table(problem: ReplayProblem, jobs: int) -> None:
    """Solve what the table lacks, with a bar, and say what failed."""
    table = problem.table
    total = table.size + table.test_samples
    for _ in _bar(table.solve(jobs), f"{problem.name} table", total):
        pass
    failed = table.failures()
    print(f"{problem.name}: {total - failed} of {total} flows solved, {failed} failed")


def run_all(tasks: Sequence[Task], jobs: int) -> list[Curve]:
    """Run the tasks, `jobs` at once, and return their curves in the tasks' order."""
    if jobs == 1:
        return [task.run() for task in _bar(tasks, "curves", len(tasks))]
    context = multiprocessing.get_context("spawn")  # torch's threads do not survive a fork
    with ProcessPoolExecutor(jobs, mp_context=context) as executor:
        futures = [executor.submit(task.run) for task in tasks]
        try:
            for done in _bar(as_completed(futures), "curves", len(tasks)):
                done.result()
        finally:
            _cancel(futures)
        return [future.result() for future in futures]


def _cancel(futures: Iterable[Future[Curve]]) -> None:
    """Drop what has not begun, so that an error or Ctrl-C ends the run at once."""
    for future in futures:
        future.cancel()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--full", action="store_true", help="10 seeds, 10 steps, 1,024 flows")
    parser.add_argument("--seeds", type=int, help="paired runs of each strategy")
    parser.add_argument("--steps", type=int, help="turns of the loop")
    parser.add_argument("--table", type=int, help="channel flows to choose from")
    parser.add_argument("--jobs", type=int, default=2, help="processes at once (default 2)")
    parser.add_argument("--problems", nargs="+", choices=PROBLEMS, default=list(PROBLEMS))
    parser.add_argument(
        "--strategies", nargs="+", default=list(STRATEGIES), help="kinds of query strategies"
    )
    parser.add_argument("--fresh", action="store_true", help="run finished curves again")
    parser.add_argument("--publish", action="store_true", help="copy the picture to docs/pictures")
    options = parser.parse_args()
    for strategy in options.strategies:
        query_of(strategy)  # an unknown one fails here, not after minutes
    return options


def _tasks(options: argparse.Namespace) -> list[Task]:
    """Return every curve that was asked for, random choice always among them."""
    size = Size.of(full=options.full)
    size = Size(
        options.seeds or size.seeds,
        options.steps or size.steps,
        options.table or size.table,
        size.surrogate,
    )
    strategies = dict.fromkeys([BASELINE, *options.strategies])
    tasks = [
        Task(problem_of(name, size.table), plan_of(name, size), strategy, seed)
        for seed in range(size.seeds)
        for name in options.problems
        for strategy in strategies
    ]
    if options.fresh:
        for directory in {task.store.directory for task in tasks}:
            shutil.rmtree(directory, ignore_errors=True)
    return tasks


def _write(
    curves: Sequence[Curve], comparisons: Sequence[Comparison], options: argparse.Namespace
) -> None:
    name = "efficiency-full" if options.full else "efficiency"
    picture = RESULTS / f"{name}.png"
    write_csv(RESULTS / f"{name}.csv", curves)
    picture.write_bytes(png(draw(comparisons)))
    print(f"curves in {RESULTS / name}.csv, picture in {picture}")
    if options.publish:
        published = ROOT / "docs" / "pictures" / "efficiency.png"
        published.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(picture, published)


def _bar(items: Iterable[Item], what: str, total: int) -> Iterable[Item]:
    return track(items, what, total, console=Console(stderr=True), transient=True)


if __name__ == "__main__":
    main()
