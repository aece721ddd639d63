"""What all figures share: colours, text, panels, and how a figure becomes a PNG."""

import io
import re

from matplotlib.axes import Axes
from matplotlib.figure import Figure

BLUE, ORANGE, GREEN, PURPLE = "#0072B2", "#D55E00", "#009E73", "#CC79A7"
SKY, AMBER, BLACK, GREY = "#56B4E9", "#E69F00", "#1F2933", "#8A94A0"
PALETTE = (BLUE, ORANGE, GREEN, PURPLE, SKY, AMBER, BLACK, GREY)
"""Colours that the colour-blind can tell apart (Okabe and Ito, 2008)."""

DPI = 160
"""Pixels to the inch of every picture."""
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_FEW = 4  # panels that fit side by side


def new_figure(width: float, height: float) -> Figure:
    """Make an empty figure of this size, in inches."""
    return Figure(figsize=(width, height), dpi=DPI, layout="constrained", facecolor="white")


def panel_grid(count: int) -> tuple[int, int]:
    """Return rows and columns for this many panels of equal size."""
    columns = 3 if count in {5, 6, 9} else min(count, _FEW)
    return -(-count // columns), columns


def finish(axes: Axes) -> None:
    """Take away what says nothing, and put a faint grid behind the data."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(GREY)
    axes.grid(visible=True, which="major", color="#E4E8EC", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(labelsize=9, color=GREY)


def label(name: str, unit: str = "1") -> str:
    """Name an axis, with the unit in brackets unless there is none: `m2/s2` reads m²/s²."""
    words = name.replace("_", " ").replace("$", r"\$")
    return f"{words} [{pretty_unit(unit)}]" if pretty_unit(unit) else words


def pretty_unit(unit: str) -> str:
    """Set exponents of a unit high; `1` and an empty unit are nothing."""
    if unit in {"", "1"}:
        return ""
    high = re.sub(
        r"(?<=[A-Za-z])\^?(-?\d+)", lambda found: found[1].translate(_SUPERSCRIPTS), unit
    )
    return high.replace("$", r"\$")


def png(figure: Figure) -> bytes:
    """Draw a figure; equal figures give equal bytes."""
    stream = io.BytesIO()
    figure.savefig(stream, format="png", metadata={"Software": None})
    return stream.getvalue()
