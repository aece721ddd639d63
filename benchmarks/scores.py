"""How much a strategy saves against a baseline: ALC, DER, and what the seeds say of both.

[Efron1993] B. Efron and R. J. Tibshirani, An introduction to the bootstrap, Chapman & Hall, 1993.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_RESAMPLES = 1000


@dataclass(frozen=True, slots=True)
class Interval:
    """A value and its 95 % percentile bootstrap interval over seeds [Efron1993].

    Attributes:
        value: of all seeds.
        low: lower end; NaN where one seed gives none.
        high: upper end, likewise.
        draws: the values of the resamples, shape (r,); empty where one seed gives none.
    """

    value: float
    low: float
    high: float
    draws: Array = field(compare=False, repr=False)

    @classmethod
    def of(cls, value: float, draws: Array) -> "Interval":
        """Return the interval that holds 95 % of the draws."""
        low, high = np.quantile(draws, [0.025, 0.975]) if len(draws) else (np.nan, np.nan)
        return cls(value, float(low), float(high), draws)


def alc(errors: Array, baseline: Array) -> Array:
    """Return each seed's mean over steps of the log error against the baseline's, shape (s,).

    Below zero is better than the baseline; the steps after the initial design count, which all
    strategies share.

    Args:
        errors: by seed and step, shape (s, t).
        baseline: the baseline's with the same seeds, likewise.
    """
    differences: Array = np.log(errors[:, 1:] / baseline[:, 1:])  # (s, t - 1)
    means: Array = differences.mean(1)
    return means


@dataclass(frozen=True, slots=True, eq=False)
class Trace:
    """One curve: what was spent at each step (labels or seconds), and the error, shapes (t,)."""

    spent: Array
    errors: Array

    @property
    def best(self) -> float:
        """The lowest error."""
        return float(self.errors.min())


def der(ours: Trace, theirs: Trace) -> float:
    """Return how many times less the strategy spends than the baseline.

    What the baseline needs for an error over what the strategy needs, at the lowest error that
    both reach: the baseline's best, or the strategy's where that is higher. So neither curve is
    ever extrapolated, a curve against itself is 1, and exchanging the two gives the reciprocal.
    """
    target = max(ours.best, theirs.best)
    return spent_to_reach(theirs, target) / spent_to_reach(ours, target)


def der_at_the_end(ours: Trace, theirs: Trace) -> float:
    """Return the same at the baseline's last error: all that it spent over what ours needs.

    It differs from `der` where the baseline was once better than at its end: then it counts all
    that the baseline spent since, as if it had needed it, and a curve against itself is above 1.
    Where the strategy never reaches that error, it is what the baseline needs for the strategy's
    best, over all that the strategy spent.
    """
    target = float(theirs.errors[-1])
    if ours.best <= target:
        return float(theirs.spent[-1]) / spent_to_reach(ours, target)
    return spent_to_reach(theirs, ours.best) / float(ours.spent[-1])


def spent_to_reach(trace: Trace, target: float) -> float:
    """Return what a curve has spent when it first meets a target, log-log interpolated.

    Raises:
        ValueError: it never does.
    """
    met = np.flatnonzero(trace.errors <= target)
    if not len(met):
        raise ValueError(f"the curve ends at {trace.best:g} and never reaches {target:g}")
    last = int(met[0])
    if last == 0:
        return float(trace.spent[0])
    x, y = np.log(trace.spent[last - 1 : last + 1]), np.log(trace.errors[last - 1 : last + 1])
    share = (np.log(target) - y[0]) / (y[1] - y[0])
    return float(np.exp(x[0] + share * (x[1] - x[0])))


def typical(values: Array) -> Array:
    """Return the geometric mean over seeds, shape (s, t) to (t,)."""
    means: Array = np.exp(np.log(values).mean(0))
    return means


def band(values: Array) -> Array:
    """Return the geometric mean over seeds and its 95 % interval [Efron1993], (s, t) to (3, t)."""
    seeds, logs = len(values), np.log(values)
    draws = np.random.default_rng(0).integers(seeds, size=(_RESAMPLES, seeds))
    means = logs[draws].mean(1)  # (r, t): whole curves are resampled
    return np.exp([logs.mean(0), *np.quantile(means, [0.025, 0.975], axis=0)])


def over_seeds(seeds: int, statistic: Callable[[NDArray[np.intp]], float]) -> Interval:
    """Return a statistic of all seeds with its bootstrap interval [Efron1993].

    Args:
        seeds: how many there are.
        statistic: takes the positions of a resample of the seeds, with repetitions.
    """
    value = statistic(np.arange(seeds))
    if seeds == 1:
        return Interval.of(value, np.empty(0))
    rng = np.random.default_rng(0)
    draws = [statistic(rng.integers(seeds, size=seeds)) for _ in range(_RESAMPLES)]
    return Interval.of(value, np.array(draws))


def over_problems(ratios: Sequence[Interval]) -> Interval:
    """Return the geometric mean of ratios, each problem's seeds resampled for themselves."""
    value = float(np.exp(np.log([ratio.value for ratio in ratios]).mean()))
    if any(len(ratio.draws) == 0 for ratio in ratios):
        return Interval.of(value, np.empty(0))
    draws = [
        np.random.default_rng(problem).permutation(ratio.draws)
        for problem, ratio in enumerate(ratios)
    ]
    return Interval.of(value, np.exp(np.log(draws).mean(0)))
