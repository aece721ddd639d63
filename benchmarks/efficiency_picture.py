"""The picture of the comparison: a row for each problem, the error and its 99 % quantile."""

from collections.abc import Iterator, Sequence
from itertools import cycle

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from benchmarks.comparison import Comparison
from benchmarks.scores import band
from reports.canvas import BLUE, GREEN, GREY, ORANGE, PALETTE, finish, new_figure
from reports.log_axis import log_ticks, set_log, thinned

Array = NDArray[np.float64]

_COLOURS = {"random": GREY, "sobol": GREEN, "top_k": ORANGE, "sbal": BLUE}
_MARKERS = "osD^vPX*"
_MARGIN = 1.1
_TICKS = 6


def draw(comparisons: Sequence[Comparison]) -> Figure:
    """Draw the geometric mean over seeds of each strategy, with its 95 % interval."""
    figure = new_figure(11, 3.4 * len(comparisons) + 0.9)
    grid = figure.subplots(len(comparisons), 2, squeeze=False)
    for (left, right), comparison in zip(grid, comparisons, strict=True):
        runs = comparison.runs
        _panel(left, comparison.asked, {name: each.error for name, each in runs.items()})
        _panel(right, comparison.asked, {name: each.q99 for name, each in runs.items()})
        seeds = f"{comparison.problem}, {comparison.seeds} paired seeds"
        left.set_title(f"{seeds}: error on the test set", loc="left", fontsize=10)
        right.set_title("99 % quantile over its samples", loc="left", fontsize=10)
    handles, names = grid[0, 0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside upper left", ncols=4, frameon=False, fontsize=10)
    figure.supxlabel("solver runs (bands: 95 % bootstrap over seeds)", fontsize=10)
    return figure


def _panel(axes: Axes, asked: Array, curves: dict[str, Array]) -> None:
    bands = {name: band(values) for name, values in curves.items()}
    for (name, (values, low, high)), marker, colour in zip(
        bands.items(), cycle(_MARKERS), _colours(curves), strict=False
    ):
        axes.plot(asked, values, marker=marker, color=colour, label=name, markersize=4)
        axes.fill_between(asked, low, high, color=colour, alpha=0.13, linewidth=0)
    every = np.array(list(bands.values()))
    if np.isfinite(every).any():  # not in curves of before this was counted
        _scale(axes, asked, float(np.nanmin(every)), float(np.nanmax(every)))
    finish(axes)


def _scale(axes: Axes, asked: Array, low: float, high: float) -> None:
    low, high = low / _MARGIN, high * _MARGIN
    axes.set_xlim(asked[0] / _MARGIN, asked[-1] * _MARGIN)
    axes.set_ylim(low, high)
    set_log(axes.xaxis, thinned([int(m) for m in asked], _TICKS))
    set_log(axes.yaxis, log_ticks(low, high))


def _colours(names: dict[str, Array]) -> Iterator[str]:
    """Yield each strategy's colour: its own, or the next that is free."""
    spare = cycle([colour for colour in PALETTE if colour not in _COLOURS.values()])
    return (_COLOURS.get(name) or next(spare) for name in names)
