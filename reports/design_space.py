"""Where the samples lie, pair by pair of design parameters."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Literal

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from pools.space import ParameterSpace
from reports.canvas import GREY, ORANGE, finish, label, new_figure
from reports.log_axis import set_log

Array = NDArray[np.float64]

MOST_PARAMETERS = 7
"""Parameters that still fit: beyond them only the first are drawn."""
_IN_LEGEND = 6


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """Samples that were asked for together.

    Attributes:
        step: whose query asked; None for the initial design.
        solved: parameters of those with a solution, shape (n, d).
        failed: parameters of those without, shape (n, d).
    """

    step: int | None
    solved: Array
    failed: Array


def draw_design_space(space: ParameterSpace, asked: Sequence[Asked]) -> Figure:
    """Draw every pair of parameters, the lower triangle of a matrix; one parameter on a line."""
    names = space.names[:MOST_PARAMETERS]
    if len(names) == 1:
        return _one_parameter(space, asked)
    size = len(names) - 1
    figure = new_figure(*_extent(size))
    cells = figure.subplots(size, size, squeeze=False, sharex="col", sharey="row")
    for across, up in combinations(range(len(names)), 2):
        _pair(cells[up - 1, across], space, (across, up), asked)
    _tidy(cells)
    _legend(figure, asked, inside=size > 1)
    return figure


def _extent(size: int) -> tuple[float, float]:
    return (6.4, 4.4) if size == 1 else (max(2.0 * size, 5.6) + 0.6, max(1.8 * size, 4.6) + 0.4)


def _one_parameter(space: ParameterSpace, asked: Sequence[Asked]) -> Figure:
    figure = new_figure(7.2, 2.8)
    axes = figure.subplots()
    for row, (group, colour) in enumerate(_coloured(asked)):
        axes.scatter(group.solved[:, 0], np.full(len(group.solved), row), 22, color=colour)
        axes.scatter(group.failed[:, 0], np.full(len(group.failed), row), 34, ORANGE, marker="x")
    axes.set_yticks(range(len(asked)), [_called(group) for group in asked])
    _scale(axes, space, 0, "x")
    finish(axes)
    return figure


def _pair(
    axes: Axes, space: ParameterSpace, columns: tuple[int, int], asked: Sequence[Asked]
) -> None:
    x, y = columns
    for group, colour in _coloured(asked):
        axes.scatter(
            group.solved[:, x], group.solved[:, y], 20, color=colour, edgecolor="white",
            linewidth=0.5, zorder=2,
        )  # fmt: skip
        axes.scatter(
            group.failed[:, x], group.failed[:, y], 34, ORANGE, marker="x", linewidth=1.6, zorder=3
        )
    _scale(axes, space, x, "x")
    _scale(axes, space, y, "y")
    finish(axes)


def _scale(axes: Axes, space: ParameterSpace, column: int, which: Literal["x", "y"]) -> None:
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


def _tidy(cells: NDArray[Any]) -> None:
    """Hide the upper triangle, and name only the outer axes."""
    for (row, column), axes in np.ndenumerate(cells):
        axes.set_visible(column <= row)
        axes.tick_params(labelsize=8)
        if row < len(cells) - 1:
            axes.set_xlabel("")
        if column:
            axes.set_ylabel("")


def _coloured(asked: Sequence[Asked]) -> Iterator[tuple[Asked, object]]:
    """Colour the initial design grey and the steps from dark to light."""
    steps = [group.step for group in asked if group.step is not None]
    last = max(steps, default=0)
    for group in asked:
        place = 0.0 if last == 0 or group.step is None else group.step / last
        yield group, GREY if group.step is None else colormaps["viridis"](0.9 * place)


def _legend(figure: Figure, asked: Sequence[Asked], *, inside: bool) -> None:
    groups = list(_coloured(asked))
    chosen = np.unique(np.linspace(0, len(groups) - 1, _IN_LEGEND).round().astype(int))
    handles = [_dot(_called(groups[i][0]), groups[i][1]) for i in chosen.tolist()]
    if any(len(group.failed) for group in asked):
        handles.append(_dot("failed", ORANGE, "x"))
    place: Literal["upper right", "outside right upper"]
    place = "upper right" if inside else "outside right upper"
    figure.legend(handles=handles, loc=place, fontsize=9, frameon=False, title="asked for by")


def _called(group: Asked) -> str:
    return "initial design" if group.step is None else f"step {group.step}"


def _dot(text: str, colour: object, marker: str = "o") -> Line2D:
    return Line2D([], [], linestyle="", marker=marker, color=colour, label=text)  # type: ignore[arg-type]
