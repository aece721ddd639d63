"""The curves of one problem, side by side: what each strategy saves against a baseline."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from benchmarks.curves import Curve
from benchmarks.scores import Interval, Trace, alc, der, over_seeds, typical

Array = NDArray[np.float64]
Spending = Literal["runs", "solver_seconds", "all_seconds"]
Ratio = Callable[[Trace, Trace], float]


@dataclass(frozen=True, slots=True, eq=False)
class Runs:
    """A strategy's curves by seed and step, shape (s, t) each; NaN is what was not counted.

    Attributes:
        error: the headline error.
        q99: 99 % quantile of the samples' errors.
        runs: solver runs, failed ones included.
        solver_seconds: of the solver.
        all_seconds: of the solver, the trainings and the selections.
        wasted: solver seconds of samples that failed.
    """

    error: Array
    q99: Array
    runs: Array
    solver_seconds: Array
    all_seconds: Array
    wasted: Array

    @classmethod
    def of(cls, curves: Sequence[Curve]) -> "Runs":
        """Put the curves of one strategy together."""
        points = [curve.points for curve in curves]
        return cls(
            error=np.array([[p.error for p in each] for each in points], float),
            q99=np.array([[p.q99 for p in each] for each in points], float),
            runs=np.array([[p.runs for p in each] for each in points], float),
            solver_seconds=np.array([[p.seconds for p in each] for each in points], float),
            all_seconds=np.array([[p.all_seconds for p in each] for each in points], float),
            wasted=np.array([[p.wasted for p in each] for each in points], float),
        )

    def spent(self, what: Spending) -> Array:
        """Return what the steps cost, shape (s, t)."""
        match what:
            case "runs":
                return self.runs
            case "solver_seconds":
                return self.solver_seconds
            case "all_seconds":
                return self.all_seconds


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """The curves of one problem by strategy; those of one seed are paired."""

    problem: str
    runs: dict[str, Runs]

    @classmethod
    def of(cls, curves: Sequence[Curve], problem: str) -> "Comparison":
        """Put the curves of one problem together."""
        mine = [curve for curve in curves if curve.problem == problem]
        names = dict.fromkeys(curve.strategy for curve in mine)
        return cls(
            problem,
            {name: Runs.of([curve for curve in mine if curve.strategy == name]) for name in names},
        )

    @property
    def asked(self) -> Array:
        """Solver runs at each step, the same for all strategies, shape (t,)."""
        runs: Array = next(iter(self.runs.values())).runs[0]
        return runs

    @property
    def seeds(self) -> int:
        """How many."""
        return len(next(iter(self.runs.values())).error)

    def alc_by_seed(self, strategy: str, baseline: str) -> Array:
        """Return the mean over steps of the log error against the baseline's, shape (s,)."""
        return alc(self.runs[strategy].error, self.runs[baseline].error)

    def alc(self, strategy: str, baseline: str) -> Interval:
        """Return its mean over seeds."""
        return self._mean(self.alc_by_seed(strategy, baseline))

    def alc_q99(self, strategy: str, baseline: str) -> Interval:
        """Return the same of the 99 % quantile of the samples' errors."""
        return self._mean(alc(self.runs[strategy].q99, self.runs[baseline].q99))

    def last_q99(self, strategy: str, baseline: str) -> Interval:
        """Return that quantile at the end over the baseline's, geometric mean over seeds."""
        ours, theirs = self.runs[strategy].q99[:, -1], self.runs[baseline].q99[:, -1]
        logs = np.log(ours / theirs)  # (s,)
        return over_seeds(self.seeds, lambda chosen: float(np.exp(logs[chosen].mean())))

    def wasted(self, strategy: str, baseline: str) -> Interval:
        """Return the seconds of failed samples over the baseline's; NaN where it has none."""
        ours, theirs = self.runs[strategy].wasted[:, -1], self.runs[baseline].wasted[:, -1]
        if not (theirs > 0).all():
            return Interval.of(np.nan, np.empty(0))
        return over_seeds(
            self.seeds, lambda chosen: float(ours[chosen].sum() / theirs[chosen].sum())
        )

    def ratio(
        self, strategy: str, baseline: str, spending: Spending = "runs", rule: Ratio = der
    ) -> Interval:
        """Return how many times less is spent, by the curves' geometric means over seeds."""
        ours, theirs = self.runs[strategy], self.runs[baseline]

        def statistic(chosen: NDArray[np.intp]) -> float:
            return rule(_trace(ours, spending, chosen), _trace(theirs, spending, chosen))

        return over_seeds(self.seeds, statistic)

    def _mean(self, values: Array) -> Interval:
        return over_seeds(self.seeds, lambda chosen: float(values[chosen].mean()))


def _trace(runs: Runs, spending: Spending, chosen: NDArray[np.intp]) -> Trace:
    return Trace(typical(runs.spent(spending)[chosen]), typical(runs.error[chosen]))
