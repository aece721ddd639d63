"""Where the samples lie, pair by pair of design parameters."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from pools.space import ParameterSpace
from reports.canvas import GREY, ORANGE, finish, new_figure
from reports.pairs import draw_pairs, scale_axis

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
    columns = range(min(space.d, MOST_PARAMETERS))
    if len(columns) == 1:
        return _one_parameter(space, asked)
    figure = draw_pairs(space, columns, partial(_pair, asked))
    _legend(figure, asked, inside=len(columns) > 2)
    return figure


def _one_parameter(space: ParameterSpace, asked: Sequence[Asked]) -> Figure:
    figure = new_figure(7.2, 2.8)
    axes = figure.subplots()
    for row, (group, colour) in enumerate(_coloured(asked)):
        axes.scatter(group.solved[:, 0], np.full(len(group.solved), row), 22, color=colour)
        axes.scatter(group.failed[:, 0], np.full(len(group.failed), row), 34, ORANGE, marker="x")
    axes.set_yticks(range(len(asked)), [_called(group) for group in asked])
    scale_axis(axes, space, 0, "x")
    finish(axes)
    return figure


def _pair(asked: Sequence[Asked], axes: Axes, x: int, y: int) -> None:
    for group, colour in _coloured(asked):
        axes.scatter(
            group.solved[:, x], group.solved[:, y], 20, color=colour, edgecolor="white",
            linewidth=0.5, zorder=2,
        )  # fmt: skip
        axes.scatter(
            group.failed[:, x], group.failed[:, y], 34, ORANGE, marker="x", linewidth=1.6, zorder=3
        )


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
