"""Where the solver succeeds and what it takes, over pairs of design parameters."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Colormap, LinearSegmentedColormap, LogNorm, Normalize
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy.stats import qmc

from pools.outcome import Outcome
from pools.outcomes import Outcomes
from pools.space import ParameterSpace
from reports.canvas import BLACK, BLUE, ORANGE, finish, new_figure
from reports.log_axis import log_ticks
from reports.pairs import draw_pairs, scale_axis
from reports.relevance import Surface, most_relevant

Array = NDArray[np.float64]

MOST_PARAMETERS = 4
"""Parameters on a map: beyond them only those that matter most."""
_GRID, _OTHERS, _LEVELS = 21, 16, 20
_MARKERS = {
    Outcome.DIVERGED: "x",
    Outcome.NOT_CONVERGED: "+",
    Outcome.MESH: "s",
    Outcome.TIMEOUT: "^",
    Outcome.BAD_OUTPUT: "D",
}
_FAILS, _SUCCEEDS = "#F6C9A8", "#CFE3F1"  # pale, so that the samples stand out
_CHANCES = LinearSegmentedColormap.from_list("chances", [_FAILS, "white", _SUCCEEDS])
_SECONDS = LinearSegmentedColormap.from_list("seconds", ["white", "#DDA3C3", "#74375A"])


@dataclass(frozen=True, slots=True, eq=False)
class Tried:
    """Samples that were tried.

    Attributes:
        parameters: in their own units, shape (t, d).
        ended: how each ended.
        seconds: that each took, shape (t,).
    """

    parameters: Array
    ended: Sequence[Outcome]
    seconds: Array

    @property
    def outcomes(self) -> Outcomes:
        """The same as models learn from it: solved or not."""
        solved = np.array([ended is Outcome.OK for ended in self.ended], np.bool_)
        return Outcomes(self.parameters, solved, self.seconds)

    @property
    def spread(self) -> float:
        """How many times as long as the quick ones the slow ones take: 95 % over 5 % quantile."""
        low, high = np.quantile(self.seconds, [0.05, 0.95]) if len(self.seconds) else (1.0, 1.0)
        return float(high / low) if low > 0 else 1.0

    def rows(self, outcome: Outcome) -> Array:
        """Return those that ended so, shape (m, d)."""
        return self.parameters[[ended is outcome for ended in self.ended]]


@dataclass(frozen=True, slots=True)
class _Colours:
    """How values become colours, and what they are."""

    map: Colormap
    norm: Normalize
    title: str

    def levels(self) -> Array:
        """Return the edges between the map's colours, evenly spread on their scale."""
        return np.asarray(self.norm.inverse(np.linspace(0, 1, _LEVELS + 1)))


def draw_failure_map(space: ParameterSpace, chances: Surface, tried: Tried) -> Figure:
    """Draw the chance of a solution, the mean over the other parameters, and how samples ended."""
    colours = _Colours(_CHANCES, Normalize(0, 1), "chance of a solution")
    figure = _draw(space, chances, colours, partial(_mark_outcomes, tried))
    marks, names = figure.axes[0].get_legend_handles_labels()
    place: Literal["outside lower center"] = "outside lower center"
    figure.legend(marks, names, loc=place, ncols=len(names), fontsize=9, frameon=False)
    return figure


def draw_cost_map(space: ParameterSpace, cost: Surface, tried: Tried) -> Figure:
    """Draw the expected seconds, the mean over the other parameters, and those of the samples."""
    norm = LogNorm(float(tried.seconds.min()), float(tried.seconds.max()), clip=True)
    colours = _Colours(_SECONDS, norm, "solver seconds")
    return _draw(space, cost, colours, partial(_mark_seconds, tried, colours))


def mean_over_others(
    space: ParameterSpace, surface: Surface, columns: Sequence[int]
) -> tuple[list[Array], Array]:
    """Return a function of one or two parameters, the mean over all others at Sobol' points.

    Returns:
        The grid along each of the parameters in its own unit, shape (g,) each, and the means,
        shape (g,) or (g, g) with the first parameter along the rows.
    """
    ticks = np.linspace(0, 1, _GRID)
    grid = np.stack(np.meshgrid(*[ticks] * len(columns), indexing="ij"), axis=-1)  # (g, g, 2)
    cube = np.tile(qmc.Sobol(space.d, rng=0).random(_OTHERS), (grid[..., 0].size, 1))  # (g g o, d)
    cube[:, columns] = np.repeat(grid.reshape(-1, len(columns)), _OTHERS, axis=0)
    means = surface(space.denormalise(cube)).reshape(*grid.shape[:-1], _OTHERS).mean(-1)
    along = space.denormalise(np.repeat(ticks[:, np.newaxis], space.d, axis=1))  # (g, d)
    return [along[:, column] for column in columns], means


_Mark = Callable[[Axes, int, int | None], None]
"""Draws the samples on a panel, with the columns along x and along y; None for no parameter."""


def _draw(space: ParameterSpace, surface: Surface, colours: _Colours, mark: _Mark) -> Figure:
    """Draw a map over every pair of the parameters that matter most, with samples on it."""
    if space.d == 1:
        return _one_parameter(space, surface, colours, mark)
    columns = most_relevant(space, surface, MOST_PARAMETERS)

    def panel(axes: Axes, x: int, y: int) -> None:
        (along_x, along_y), means = mean_over_others(space, surface, [x, y])
        shown = np.clip(means.T, colours.norm.vmin, colours.norm.vmax)
        axes.contourf(
            along_x, along_y, shown, colours.levels(), cmap=colours.map, norm=colours.norm
        )
        mark(axes, x, y)

    figure = draw_pairs(space, columns, panel)
    _colour_bar(figure, colours)
    return figure


def _one_parameter(
    space: ParameterSpace, surface: Surface, colours: _Colours, mark: _Mark
) -> Figure:
    figure = new_figure(7.2, 3.4)
    axes = figure.subplots()
    (along,), values = mean_over_others(space, surface, [0])
    axes.plot(along, values, color=BLACK, linewidth=1.4)
    axes.set_ylabel(colours.title, fontsize=10)
    mark(axes, 0, None)
    scale_axis(axes, space, 0, "x")
    finish(axes)
    return figure


def _mark_outcomes(tried: Tried, axes: Axes, x: int, y: int | None) -> None:
    """Draw a dot for each sample that was solved, and a mark for each that was not."""
    for outcome in (Outcome.OK, *_MARKERS):
        rows, solved = tried.rows(outcome), outcome is Outcome.OK
        if not len(rows):
            continue
        up = np.full(len(rows), float(solved)) if y is None else rows[:, y]
        marker, colour = ("o", BLUE) if solved else (_MARKERS[outcome], ORANGE)
        name = "solved" if solved else outcome.value.replace("_", " ")
        size = 12 if solved else 30
        axes.scatter(rows[:, x], up, size, colour, marker=marker, linewidth=1.4, label=name)


def _mark_seconds(tried: Tried, colours: _Colours, axes: Axes, x: int, y: int | None) -> None:
    up = tried.seconds if y is None else tried.parameters[:, y]
    axes.scatter(
        tried.parameters[:, x], up, 18, tried.seconds, cmap=colours.map, norm=colours.norm,
        edgecolor=BLACK, linewidth=0.5,
    )  # fmt: skip


def _colour_bar(figure: Figure, colours: _Colours) -> None:
    panels = [axes for axes in figure.axes if axes.get_visible()]
    shades = ScalarMappable(colours.norm, colours.map)
    bar = figure.colorbar(shades, ax=panels, shrink=0.7, aspect=30, pad=0.02)
    bar.set_label(colours.title, fontsize=9)
    bar.ax.tick_params(labelsize=8)
    bar.outline.set_visible(False)
    if isinstance(colours.norm, LogNorm):
        low, high = colours.norm.inverse(np.array([0.0, 1.0])).tolist()
        ticks = log_ticks(low, high)
        bar.set_ticks(ticks, labels=[f"{tick:g}" for tick in ticks], minor=False)
        bar.ax.minorticks_off()
