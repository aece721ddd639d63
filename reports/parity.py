"""Predicted against true, quantity by quantity."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy.stats import norm

from reports.canvas import BLUE, GREY, finish, label, new_figure, panel_grid
from strategies.metrics import QuantityMetrics

Array = NDArray[np.float64]

_HALF_WIDTH_90 = float(norm.ppf(0.95))  # of the central 90 % interval, in standard deviations


@dataclass(frozen=True, slots=True, eq=False)
class QuantityTest:
    """One quantity on the test set: truth, mean and standard deviation, each shape (n,)."""

    name: str
    metrics: QuantityMetrics
    truth: Array
    mean: Array
    std: Array


def draw_parity(quantities: Sequence[QuantityTest]) -> Figure:
    """Draw one panel for each quantity; at least one."""
    rows, columns = panel_grid(len(quantities))
    figure = new_figure(max(3.3 * columns, 4.4), 3.45 * rows)
    cells = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes, quantity in zip(cells, quantities, strict=False):
        _panel(axes, quantity)
    for axes in cells[len(quantities) :]:
        axes.set_visible(False)
    return figure


def _panel(axes: Axes, quantity: QuantityTest) -> None:
    axes.errorbar(
        quantity.truth, quantity.mean, _HALF_WIDTH_90 * quantity.std, fmt="o", markersize=3.5,
        color=BLUE, ecolor="#9CC4DE", elinewidth=1.2, alpha=0.85,
    )  # fmt: skip
    low, high = _limits(quantity)
    axes.plot([low, high], [low, high], color=GREY, linewidth=1, zorder=0)
    axes.set(xlim=(low, high), ylim=(low, high), aspect="equal")
    unit = quantity.metrics.unit
    axes.set_title(label(quantity.name), loc="left", fontsize=11)
    axes.set_xlabel(label("true", unit), fontsize=9)
    axes.set_ylabel(label("predicted", unit), fontsize=9)
    axes.text(0.04, 0.96, _note(quantity.metrics), transform=axes.transAxes, va="top", fontsize=8)
    axes.locator_params(nbins=5)
    finish(axes)
    axes.tick_params(labelsize=8)


def _note(metrics: QuantityMetrics) -> str:
    r2 = "" if metrics.r2 is None else f"R² {metrics.r2:.3f}\n"
    return f"RMSE {metrics.rmse:.3g}\n{r2}{100 * metrics.coverage90:.0f} % in the bars"


def _limits(quantity: QuantityTest) -> tuple[float, float]:
    """Return limits that hold all points; long error bars may be cut."""
    values = np.concatenate([quantity.truth, quantity.mean])
    margin = 0.06 * float(np.ptp(values)) or 0.1 * abs(float(values[0])) or 1.0
    return float(values.min()) - margin, float(values.max()) + margin
