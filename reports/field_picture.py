"""One test sample in pictures: each field as solved, as predicted, the error, the uncertainty."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from matplotlib.tri import Triangulation
from numpy.typing import NDArray

from pools.solution import Mesh, Solution
from reports.canvas import finish, label, new_figure
from reports.render import Colours, Image, Panel, Rendering, Scene, is_planar, render

Array = NDArray[np.float64]

KINDS = ("solver", "surrogate", "error", "standard deviation")
"""What is drawn of each field."""
_WIDE = 1.6  # width over height of a domain from which on its pictures go one above the other


@dataclass(frozen=True, slots=True, eq=False)
class PredictedSample:
    """A test sample and what the surrogate says of it.

    Attributes:
        rank: how it was chosen, in words.
        error: relative L2 error, mean over the fields.
        solution: the solver's answer.
        mean: predicted fields, shape (p, c).
        std: their standard deviations, shape (p, c).
    """

    rank: str
    error: float
    solution: Solution
    mean: Array
    std: Array


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A sample's figure, and what pyvista's trouble was if matplotlib had to draw it."""

    sample: PredictedSample
    figure: Figure
    trouble: str = ""


def draw_fields(samples: Sequence[PredictedSample]) -> list[Picture]:
    """Draw the fields of some samples, with pyvista where that works.

    Without it matplotlib draws planar meshes; a mesh in space then has no picture.
    """
    scenes = [Scene(sample.solution.mesh, panels_of(sample)) for sample in samples]
    rendering = render(scenes) if scenes else Rendering([])
    return [
        Picture(sample, compose(sample, scene.panels, images), rendering.trouble)
        for sample, scene, images in zip(samples, scenes, rendering.images, strict=True)
        if images or is_planar(scene.mesh)
    ]


def panels_of(sample: PredictedSample) -> list[Panel]:
    """Return the panels of each field in turn: as many as there are `KINDS`."""
    truth = sample.solution.stacked_fields()  # (p, c)
    columns = range(truth.shape[1])
    return [p for c in columns for p in _panels(truth[:, c], sample.mean[:, c], sample.std[:, c])]


def compose(sample: PredictedSample, panels: Sequence[Panel], images: Sequence[Image]) -> Figure:
    """Lay rendered images out with axes and colour bars; draw them here where there are none."""
    mesh, fields = sample.solution.mesh, list(sample.solution.fields.items())
    figure, cells = _layout(mesh, len(fields))  # cells (c, kinds)
    for index, (axes, panel) in enumerate(zip(cells.ravel(), panels, strict=True)):
        if images:
            _show(axes, mesh, images[index])
        else:
            _paint(axes, mesh, panel)
        _colour_bar(axes, panel.colours)
    for row, (name, field) in zip(cells, fields, strict=True):
        for axes, kind in zip(row, KINDS, strict=True):
            axes.set_title(f"{label(name, field.unit)}, {kind}", loc="left", fontsize=9)
    _name_outer_axes(cells)
    return figure


def triangles_of(mesh: Mesh) -> NDArray[np.int64]:
    """Split every plane cell into a fan of triangles, shape (t, 3)."""
    starts, sizes = mesh.offsets[:-1], np.diff(mesh.offsets)
    fans = [np.empty((0, 3), dtype=np.int64)]
    for corner in range(1, int(sizes.max(initial=0)) - 1):
        first = starts[sizes > corner + 1]
        places = np.column_stack([first, first + corner, first + corner + 1])
        fans.append(mesh.connectivity[places])
    return np.concatenate(fans)


def _panels(truth: Array, mean: Array, std: Array) -> list[Panel]:
    """Return the panels of one field, values of shape (p,): one range for truth and prediction."""
    both = np.concatenate([truth, mean])
    values = Colours(*_range(float(both.min()), float(both.max())), "viridis")
    worst = float(np.abs(mean - truth).max()) or 1.0
    error = Colours(-worst, worst, "RdBu_r")
    spread = Colours(0.0, float(std.max()) or 1.0, "Purples")
    return [
        Panel(truth, values),
        Panel(mean, values),
        Panel(mean - truth, error),
        Panel(std, spread),
    ]


def _range(low: float, high: float) -> tuple[float, float]:
    return (low, high) if low < high else (low - 0.5, high + 0.5)


def _layout(mesh: Mesh, fields: int) -> tuple[Figure, NDArray[Any]]:
    """Return a figure and its axes, shape (c, kinds): wide domains one above the other."""
    across, up = np.ptp(mesh.points[:, :2], axis=0).tolist()
    aspect = across / up if up else 1.0
    if is_planar(mesh) and aspect >= _WIDE:
        width = max(7.8 / fields, 2.6)
        figure = new_figure(fields * (width + 0.7), len(KINDS) * (width / aspect + 0.45))
        return figure, figure.subplots(len(KINDS), fields, squeeze=False).T
    height = min(1.8 / min(aspect, 1.0), 4.0)
    figure = new_figure(len(KINDS) * (height * aspect + 0.62), fields * (height + 0.55))
    return figure, figure.subplots(fields, len(KINDS), squeeze=False)


def _show(axes: Axes, mesh: Mesh, image: Image) -> None:
    if not is_planar(mesh):
        axes.imshow(image)
        axes.set_axis_off()
        return
    low, high = mesh.points.min(axis=0), mesh.points.max(axis=0)
    axes.imshow(image, extent=(low[0], high[0], low[1], high[1]), interpolation="antialiased")
    _frame(axes)


def _paint(axes: Axes, mesh: Mesh, panel: Panel) -> None:
    """Draw a planar mesh without pyvista."""
    colours, triangles = panel.colours, triangles_of(mesh)
    x, y = mesh.points[:, 0], mesh.points[:, 1]
    limits = Normalize(colours.low, colours.high)
    if len(triangles):
        plane = Triangulation(x, y, triangles)
        axes.tripcolor(plane, panel.values, shading="gouraud", cmap=colours.map, norm=limits)
    else:
        axes.scatter(x, y, 8, panel.values, cmap=colours.map, norm=limits)
    axes.set_aspect("equal")
    axes.margins(0)
    _frame(axes)


def _name_outer_axes(cells: NDArray[Any]) -> None:
    for axes in cells.ravel():
        place = axes.get_subplotspec()
        axes.tick_params(labelbottom=place.is_last_row(), labelleft=place.is_first_col())
        axes.set_xlabel("x [m]" if place.is_last_row() else "", fontsize=8)
        axes.set_ylabel("y [m]" if place.is_first_col() else "", fontsize=8)


def _frame(axes: Axes) -> None:
    finish(axes)
    axes.grid(visible=False)
    axes.locator_params(nbins=5)
    axes.tick_params(labelsize=7)


def _colour_bar(axes: Axes, colours: Colours) -> None:
    scale = ScalarMappable(Normalize(colours.low, colours.high), colormaps[colours.map])
    beside = axes.inset_axes((1.02, 0.0, 0.025, 1.0))
    bar = axes.figure.colorbar(scale, cax=beside)
    bar.ax.yaxis.set_major_locator(MaxNLocator(4))
    bar.ax.yaxis.set_major_formatter(lambda value, _: f"{value:g}".replace("-", "−"))
    bar.ax.tick_params(labelsize=7, length=2)
    bar.outline.set_visible(False)
