"""How the error falls as samples are labelled."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from reports.canvas import BLUE, GREEN, GREY, ORANGE, finish, label, new_figure, panel_grid
from reports.log_axis import log_ticks, set_log, thinned
from strategies.metrics import Metrics
from strategies.unbiased import UnbiasedError

_MARGIN = 1.12  # of a log axis beyond its data


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """One step on the learning curve.

    Attributes:
        step: which.
        labelled: training samples.
        metrics: what they gave.
        unbiased: what was foretold up to here, where the Sobol' share says something.
    """

    step: int
    labelled: int
    metrics: Metrics
    unbiased: UnbiasedError | None = None


@dataclass(frozen=True, slots=True)
class Panel:
    """One small curve: what it shows, on which axis, and its value at each step."""

    title: str
    axis: str
    colour: str
    values: tuple[float, ...]


def draw_learning_curve(points: Sequence[CurvePoint], target: float | None = None) -> Figure:
    """Draw the headline error, and beneath it that of each field and each quantity.

    Args:
        points: at least one.
        target: error at which the campaign stops; None without one.
    """
    panels = panels_of(points)
    rows, columns = panel_grid(max(len(panels), 1))
    figure = new_figure(8.6, 3.6 + 2.1 * rows)
    above, below = figure.subfigures(2, 1, height_ratios=[3.6, 2.1 * rows], squeeze=False).ravel()
    _headline(above.subplots(), points, target)
    cells = below.subplots(rows, columns, squeeze=False).ravel()
    labelled = [point.labelled for point in points]
    for axes, panel in zip(cells, panels, strict=False):
        _small(axes, labelled, panel)
    for axes in cells[len(panels) :]:
        axes.set_visible(False)
    below.supxlabel("labelled samples", fontsize=10)
    return figure


def panels_of(points: Sequence[CurvePoint]) -> list[Panel]:
    """Return one panel for each field, then one for each quantity."""
    last = points[-1].metrics
    fields = [
        Panel(
            label(name),
            "relative L2 error",
            BLUE,
            tuple(p.metrics.fields[name].relative_l2.mean for p in points),
        )
        for name in last.fields
    ]
    quantities = [
        Panel(
            label(name),
            "normalised RMSE",
            GREEN,
            tuple(p.metrics.quantities[name].nrmse for p in points),
        )
        for name in last.quantities
    ]
    return [*fields, *quantities]


def _headline(axes: Axes, points: Sequence[CurvePoint], target: float | None) -> None:
    labelled = [point.labelled for point in points]
    errors = [point.metrics.error for point in points]
    axes.plot(labelled, errors, "o-", color=ORANGE, linewidth=2, markersize=6, label="test set")
    foretold = _unbiased(axes, points)
    if target is not None:
        axes.axhline(target, color=GREY, linestyle="--", linewidth=1.2)
        text = f"target {target:g}"
        axes.annotate(
            text, (1, target), (0, 3), xycoords=axes.get_yaxis_transform(),
            textcoords="offset points", ha="right", fontsize=9, color="#5A6570",
        )  # fmt: skip
    _scales(axes, labelled, [*errors, *foretold, *([] if target is None else [target])], ticks=10)
    axes.annotate(
        f"{errors[-1]:.3g}", (labelled[-1], errors[-1]), (0, -18), textcoords="offset points",
        ha="center", fontsize=10, fontweight="bold", color=ORANGE,
    )  # fmt: skip
    axes.set_title("Headline error on the test set", loc="left", fontsize=11)
    axes.set_ylabel("error", fontsize=10)
    finish(axes)


def _unbiased(axes: Axes, points: Sequence[CurvePoint]) -> list[float]:
    """Draw the unbiased error with its interval, and return what the axis has to hold."""
    known = [(p.labelled, p.unbiased) for p in points if p.unbiased and p.unbiased.low is not None]
    if not known:
        return []
    errors = np.array([each.error for _, each in known])
    low = np.array([each.low for _, each in known], float)
    high = np.array([each.high for _, each in known], float)
    axes.errorbar(
        [labelled for labelled, _ in known], errors, [errors - low, high - errors], fmt="s",
        color=GREY, markersize=4, elinewidth=1, capsize=2, label="foretold on the Sobol' share",
    )  # fmt: skip
    axes.legend(loc="upper right", fontsize=9, frameon=False)
    return [*low.tolist(), *high.tolist()]


def _small(axes: Axes, labelled: Sequence[int], panel: Panel) -> None:
    axes.plot(labelled, panel.values, "o-", color=panel.colour, linewidth=1.6, markersize=4)
    _scales(axes, labelled, panel.values, ticks=5)
    axes.set_title(panel.title, loc="left", fontsize=10)
    axes.set_ylabel(panel.axis, fontsize=8)
    finish(axes)
    axes.tick_params(labelsize=8)


def _scales(axes: Axes, labelled: Sequence[int], values: Sequence[float], ticks: int) -> None:
    """Make both axes logarithmic where the values allow it, with so many ticks across."""
    axes.set_xlim(min(labelled) / _MARGIN, max(labelled) * _MARGIN)
    set_log(axes.xaxis, thinned(labelled, ticks))
    if min(values) <= 0:
        axes.set_ylim(bottom=0)
        return
    low, high = min(values) / _MARGIN, max(values) * _MARGIN**2
    axes.set_ylim(low, high)
    set_log(axes.yaxis, log_ticks(low, high))
