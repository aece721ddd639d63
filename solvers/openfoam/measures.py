"""What is made of a record over time or iterations."""

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Statistic = Literal["last", "mean", "min", "max", "rms", "amplitude", "frequency"]


def measure(times: Array, values: Array, statistic: Statistic, share: float) -> float:
    """Return a statistic of the last share of a record.

    Args:
        times: shape (t,), not decreasing.
        values: shape (t,).
        statistic: which; `rms` is about the mean, `frequency` counts upward crossings of it.
        share: how much of the record's span is looked at, from its end.
    """
    inside = times >= times[-1] - share * (times[-1] - times[0])
    return _MEASURES[statistic](times[inside], values[inside])


def time_mean(times: Array, values: Array) -> float:
    """Return the mean over time by the trapezoidal rule; steps may differ."""
    span = float(times[-1] - times[0])
    halves = (values[1:] + values[:-1]) / 2
    return float(halves @ np.diff(times)) / span if span > 0 else float(values.mean())


def crossing_frequency(times: Array, values: Array) -> float:
    """Return the frequency of the upward crossings of the mean; 0 where there are not two."""
    about = values - time_mean(times, values)
    before = np.flatnonzero((about[:-1] < 0) & (about[1:] >= 0))
    if len(before) < 2:
        return 0.0
    rise = about[before + 1] - about[before]
    moments = times[before] - about[before] * (times[before + 1] - times[before]) / rise
    return float((len(moments) - 1) / (moments[-1] - moments[0]))


def drift(times: Array, values: Array, window: float) -> float:
    """Return the range of the last window of a record over the mean magnitude there."""
    inside = values[times >= times[-1] - window * (times[-1] - times[0])]
    scale = float(np.abs(inside).mean())
    return float(np.ptp(inside)) / scale if scale > 0 else 0.0


def _rms(times: Array, values: Array) -> float:
    return math.sqrt(time_mean(times, (values - time_mean(times, values)) ** 2))


_MEASURES: Mapping[Statistic, Callable[[Array, Array], float]] = MappingProxyType(
    {
        "last": lambda _, values: float(values[-1]),
        "mean": time_mean,
        "min": lambda _, values: float(values.min()),
        "max": lambda _, values: float(values.max()),
        "rms": _rms,
        "amplitude": lambda _, values: float(np.ptp(values)) / 2,
        "frequency": crossing_frequency,
    }
)
