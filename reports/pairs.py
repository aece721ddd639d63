"""Pairs of design parameters, a panel each: the lower triangle of a matrix."""

from collections.abc import Callable, Sequence
from itertools import combinations
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from pools.space import ParameterSpace
from reports.canvas import finish, label, new_figure
from reports.log_axis import set_log

Panel = Callable[[Axes, int, int], None]
"""Draws on one panel, with the columns of the parameters along x and along y."""


def draw_pairs(space: ParameterSpace, columns: Sequence[int], panel: Panel) -> Figure:
    """Draw every pair of these parameters, two or more of them."""
    size = len(columns) - 1
    figure = new_figure(*_extent(size))
    cells = figure.subplots(size, size, squeeze=False, sharex="col", sharey="row")
    for across, up in combinations(range(len(columns)), 2):
        axes, x, y = cells[up - 1, across], columns[across], columns[up]
        panel(axes, x, y)
        scale_axis(axes, space, x, "x")
        scale_axis(axes, space, y, "y")
        finish(axes)
    _tidy(cells)
    return figure


def scale_axis(axes: Axes, space: ParameterSpace, column: int, which: Literal["x", "y"]) -> None:
    """Give an axis the parameter's bounds, scale, name and unit."""
    name = space.names[column]
    parameter = space.root[name]
    axis, limits = getattr(axes, f"{which}axis"), getattr(axes, f"set_{which}lim")
    margin = 0.04
    if parameter.scale == "log":
        beyond = (parameter.high / parameter.low) ** margin
        limits(parameter.low / beyond, parameter.high * beyond)
        set_log(axis)
    else:
        beyond = (parameter.high - parameter.low) * margin
        limits(parameter.low - beyond, parameter.high + beyond)
        axes.locator_params(axis=which, nbins=4, integer=parameter.type == "integer")
    axis.set_label_text(label(name, parameter.unit), fontsize=9)


def _extent(size: int) -> tuple[float, float]:
    return (6.4, 4.4) if size == 1 else (max(2.0 * size, 5.6) + 0.6, max(1.8 * size, 4.6) + 0.4)


def _tidy(cells: NDArray[Any]) -> None:
    """Hide the upper triangle, and name only the outer axes."""
    for (row, column), axes in np.ndenumerate(cells):
        axes.set_visible(column <= row)
        axes.tick_params(labelsize=8)
        if row < len(cells) - 1:
            axes.set_xlabel("")
        if column:
            axes.set_ylabel("")
