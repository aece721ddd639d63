"""Whether the predicted uncertainty means what it says.

[Kuleshov2018] V. Kuleshov, N. Fenner and S. Ermon, Accurate uncertainties for deep learning using
calibrated regression, ICML 2018.
"""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy.stats import norm

from reports.canvas import GREY, PALETTE, finish, label, new_figure

Array = NDArray[np.float64]

LEVELS: Array = np.round(np.linspace(0.05, 0.95, 19), 2)
"""Nominal coverage of the central intervals that are looked at."""


def coverage(error: Array, std: Array, weights: Array) -> Array:
    """Return the share of errors inside the central interval of each level [Kuleshov2018].

    Args:
        error: of the mean, any shape.
        std: predicted standard deviations, the same shape.
        weights: what each counts, the same shape; their sum is positive.

    Returns:
        Shape (levels,).
    """
    half_widths = norm.ppf((1 + LEVELS) / 2)  # in standard deviations
    far = np.where(error == 0, 0.0, np.inf)
    ratio = np.divide(np.abs(error), std, out=far, where=std > 0)
    first = np.searchsorted(half_widths, ratio.ravel())  # the first level that holds it
    counts = np.bincount(first, weights.ravel(), minlength=len(LEVELS) + 1)
    shares: Array = counts[:-1].cumsum() / counts.sum()
    return shares


def draw_calibration(fields: Mapping[str, Array], quantities: Mapping[str, Array]) -> Figure:
    """Draw observed against nominal coverage, shape (levels,) each, beside the diagonal."""
    groups = [(title, g) for title, g in (("fields", fields), ("quantities", quantities)) if g]
    figure = new_figure(4.6 * max(len(groups), 1), 4.3)
    cells = figure.subplots(1, len(groups), squeeze=False).ravel()
    for axes, (title, curves) in zip(cells, groups, strict=True):
        _panel(axes, title, curves)
    return figure


def _panel(axes: Axes, title: str, curves: Mapping[str, Array]) -> None:
    axes.plot([0, 1], [0, 1], color=GREY, linewidth=1)
    axes.text(0.97, 0.03, "too sure of itself", ha="right", fontsize=9, color=GREY, style="italic")
    for index, (name, observed) in enumerate(curves.items()):
        colour = PALETTE[index % len(PALETTE)]
        axes.plot(LEVELS, observed, "o-", color=colour, markersize=3.5, label=label(name))
    axes.set(xlim=(0, 1), ylim=(0, 1), aspect="equal")
    axes.set_title(title, loc="left", fontsize=11)
    axes.set_xlabel("nominal coverage", fontsize=10)
    axes.set_ylabel("observed coverage", fontsize=10)
    axes.legend(loc="upper left", fontsize=9, frameon=False)
    finish(axes)
