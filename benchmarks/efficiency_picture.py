"""The picture of the comparison: error against labels, one panel for each problem."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.efficiency_table import Comparison
from reports.canvas import BLUE, GREEN, GREY, ORANGE, PALETTE, finish, new_figure
from reports.log_axis import log_ticks, set_log, thinned

_COLOURS = {"random": GREY, "sobol": GREEN, "top_k": ORANGE, "sbal": BLUE}
_MARKERS = "osD^vPX*"
_MARGIN = 1.1
_TICKS = 5


def draw(comparisons: Sequence[Comparison]) -> Figure:
    """Draw the geometric mean over seeds of each strategy, with its 95 % interval."""
    figure = new_figure(4.2 * len(comparisons), 4.2)
    row = figure.subplots(1, len(comparisons), squeeze=False)[0]
    for axes, comparison in zip(row, comparisons, strict=True):
        _panel(axes, comparison)
    row[0].set_ylabel("error on the test set", fontsize=10)
    row[0].legend(frameon=False, fontsize=9, loc="lower left")
    figure.supxlabel(
        f"solver runs ({comparisons[0].seeds} paired seeds; bands: 95 % bootstrap)", fontsize=10
    )
    return figure


def _panel(axes: Axes, comparison: Comparison) -> None:
    labelled, spans = comparison.labelled, []
    spare = iter(colour for colour in PALETTE if colour not in _COLOURS.values())
    for strategy, marker in zip(comparison.errors, _MARKERS, strict=False):
        colour = _COLOURS.get(strategy) or next(spare)
        middle = comparison.middle(strategy)
        values, low, high = np.array([(i.value, i.low, i.high) for i in middle]).T
        axes.plot(labelled, values, marker=marker, color=colour, label=strategy, markersize=5)
        axes.fill_between(labelled, low, high, color=colour, alpha=0.12, linewidth=0)
        spans += [values, low, high]
    lowest, highest = float(np.nanmin(spans)) / _MARGIN, float(np.nanmax(spans)) * _MARGIN
    axes.set_xlim(labelled[0] / _MARGIN, labelled[-1] * _MARGIN)
    axes.set_ylim(lowest, highest)
    set_log(axes.xaxis, thinned([int(m) for m in labelled], _TICKS))
    set_log(axes.yaxis, log_ticks(lowest, highest))
    axes.set_title(comparison.problem, loc="left", fontsize=11)
    finish(axes)
