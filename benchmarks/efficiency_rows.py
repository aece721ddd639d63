"""Every score of every strategy against one baseline, a row each."""

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.comparison import Comparison
from benchmarks.scores import Interval, der_at_the_end, over_problems, typical
from benchmarks.significance import holm, signed_rank


@dataclass(frozen=True, slots=True)
class Savings:
    """How many times less a strategy spends than its baseline; above 1 is better.

    Attributes:
        runs: solver runs to the lowest error that both reach.
        at_the_end: solver runs to the baseline's last error.
        solver_seconds: seconds of the solver, to the lowest error that both reach.
        all_seconds: seconds of the solver, the trainings and the selections, likewise.
        last_q99: 99 % quantile of the samples' errors at the end over the baseline's; here, below
            1 is better.
    """

    runs: Interval
    at_the_end: Interval
    solver_seconds: Interval
    all_seconds: Interval
    last_q99: Interval


@dataclass(frozen=True, slots=True)
class Row:
    """One strategy on one problem.

    Attributes:
        problem: its name.
        strategy: its name.
        first: error with the initial design.
        last: error at the end.
        q99: 99 % quantile of the samples' errors at the end.
        alc: mean over steps of the log error against the baseline's; below 0 is better.
        alc_q99: the same of that quantile.
        savings: how much less it spends.
        wasted: solver seconds of failed samples over the baseline's; NaN where none fails.
        p: that the seeds' ALC lie about 0.
        corrected: the same, corrected for how many strategies were tested.
    """

    problem: str
    strategy: str
    first: float
    last: float
    q99: float
    alc: Interval
    alc_q99: Interval
    savings: Savings
    wasted: Interval
    p: float
    corrected: float


def rows_of(comparison: Comparison, baseline: str) -> list[Row]:
    """Compare each other strategy of a problem with the baseline."""
    others = [name for name in comparison.runs if name != baseline]
    values = {name: signed_rank(comparison.alc_by_seed(name, baseline)) for name in others}
    corrected = holm(values)
    return [_row(comparison, name, baseline, (values[name], corrected[name])) for name in others]


def overall(rows: Sequence[Row]) -> dict[str, Savings]:
    """Return each strategy's geometric means over problems."""
    names = dict.fromkeys(row.strategy for row in rows)
    return {name: _mean([row.savings for row in rows if row.strategy == name]) for name in names}


def _row(comparison: Comparison, name: str, baseline: str, p: tuple[float, float]) -> Row:
    runs = comparison.runs[name]
    errors = typical(runs.error)
    return Row(
        problem=comparison.problem,
        strategy=name,
        first=float(errors[0]),
        last=float(errors[-1]),
        q99=float(typical(runs.q99)[-1]),
        alc=comparison.alc(name, baseline),
        alc_q99=comparison.alc_q99(name, baseline),
        savings=_savings(comparison, name, baseline),
        wasted=comparison.wasted(name, baseline),
        p=p[0],
        corrected=p[1],
    )


def _savings(comparison: Comparison, name: str, baseline: str) -> Savings:
    return Savings(
        runs=comparison.ratio(name, baseline),
        at_the_end=comparison.ratio(name, baseline, rule=der_at_the_end),
        solver_seconds=comparison.ratio(name, baseline, "solver_seconds"),
        all_seconds=comparison.ratio(name, baseline, "all_seconds"),
        last_q99=comparison.last_q99(name, baseline),
    )


def _mean(savings: Sequence[Savings]) -> Savings:
    return Savings(
        runs=over_problems([each.runs for each in savings]),
        at_the_end=over_problems([each.at_the_end for each in savings]),
        solver_seconds=over_problems([each.solver_seconds for each in savings]),
        all_seconds=over_problems([each.all_seconds for each in savings]),
        last_q99=over_problems([each.last_q99 for each in savings]),
    )
