"""Logarithmic axes with ticks that can be read, however short the range."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axis import Axis
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

_MULTIPLES = ((1,), (1, 3), (1, 2, 5), (1, 1.5, 2, 3, 5, 7))
_ENOUGH, _MOST = 3, 7


def log_ticks(low: float, high: float) -> list[float]:
    """Return three to seven round numbers between two positive ones, or as many as there are."""
    for multiples in _MULTIPLES:
        ticks = _between(low, high, multiples)
        if len(ticks) >= _ENOUGH:
            return ticks[:: -(-len(ticks) // _MOST)]
    even = [float(tick) for tick in MaxNLocator(4).tick_values(low, high)]
    return [tick for tick in even if low <= tick <= high]


def set_log(axis: Axis, ticks: Sequence[float] | None = None) -> None:
    """Make an axis logarithmic, with these ticks or with round ones over its present range."""
    axis._set_axes_scale("log")  # type: ignore[attr-defined]  # the same for x and y
    low, high = axis.get_view_interval()
    axis.set_major_locator(FixedLocator(list(ticks or log_ticks(low, high))))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))


def thinned(values: Sequence[int], most: int) -> list[int]:
    """Return some `most` of growing values, far enough apart on a log scale to read."""
    apart = (max(values) / min(values)) ** (1 / most) if values else 1.0
    kept: list[int] = []
    for value in sorted(set(values)):
        if not kept or value >= kept[-1] * apart:
            kept.append(value)
    return kept


def _between(low: float, high: float, multiples: Sequence[float]) -> list[float]:
    powers = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
    ticks = [multiple * 10.0**power for power in powers for multiple in multiples]
    return [tick for tick in ticks if low <= tick <= high]
