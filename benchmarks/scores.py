"""How much a strategy saves against random choice: ALC, DER, and what the seeds say of both.

[Efron1993] B. Efron and R. J. Tibshirani, An introduction to the bootstrap, Chapman & Hall, 1993.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import bootstrap

Array = NDArray[np.float64]

_RESAMPLES = 2000


@dataclass(frozen=True, slots=True)
class Interval:
    """A value and its 95 % bootstrap interval over seeds; NaN where one seed gives none."""

    value: float
    low: float
    high: float


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


def der(labelled: Array, errors: Array, baseline: Array) -> float:
    """Return how many times fewer labels the strategy needs than the baseline.

    The labels that the baseline needs for an error over those that the strategy needs, at the
    lowest error that both reach: the baseline's best, or the strategy's where that is higher. So
    neither curve is ever extrapolated, and exchanging the two gives the reciprocal.

    Args:
        labelled: training samples at each step, shape (t,).
        errors: the strategy's, shape (t,).
        baseline: the baseline's, shape (t,).
    """
    target = max(float(errors.min()), float(baseline.min()))
    theirs = labels_to_reach(labelled, baseline, target)
    return theirs / labels_to_reach(labelled, errors, target)


def labels_to_reach(labelled: Array, errors: Array, target: float) -> float:
    """Return at how many labels a curve first meets a target, log-log interpolated.

    Raises:
        ValueError: it never does.
    """
    met = np.flatnonzero(errors <= target)
    if not len(met):
        raise ValueError(f"the curve ends at {errors.min():g} and never reaches {target:g}")
    last = int(met[0])
    if last == 0:
        return float(labelled[0])
    x, y = np.log(labelled[last - 1 : last + 1]), np.log(errors[last - 1 : last + 1])
    share = (np.log(target) - y[0]) / (y[1] - y[0])
    return float(np.exp(x[0] + share * (x[1] - x[0])))


def typical(errors: Array) -> Array:
    """Return the geometric mean over seeds, shape (s, t) to (t,)."""
    means: Array = np.exp(np.log(errors).mean(0))
    return means


def over_seeds(seeds: int, statistic: Callable[[NDArray[np.intp]], float]) -> Interval:
    """Return a statistic of all seeds with its percentile bootstrap interval [Efron1993].

    Args:
        seeds: how many there are.
        statistic: takes the positions of a resample of the seeds, with repetitions.
    """
    value = statistic(np.arange(seeds))
    if seeds == 1:
        return Interval(value, np.nan, np.nan)
    found = bootstrap(
        (np.arange(seeds),),
        lambda chosen: statistic(np.asarray(chosen, np.intp)),
        n_resamples=_RESAMPLES,
        vectorized=False,
        method="percentile",
        rng=np.random.default_rng(0),
    ).confidence_interval
    return Interval(value, float(found.low), float(found.high))
