"""Where the time went."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure

from reports.canvas import AMBER, BLUE, GREEN, GREY, ORANGE, PURPLE, SKY, finish, new_figure

PHASES: Mapping[str, str] = {
    "design": SKY,
    "train": BLUE,
    "metrology": GREEN,
    "query": PURPLE,
    "label": AMBER,
    "append": GREY,
}
"""Colours of the phases, in the order in which a step does them."""
_WIDTH = 0.38  # of a bar, in steps
_MOST_NAMES = 14
_WIDEST = 9.6  # of a figure whose text can be read on the page, in inches


@dataclass(frozen=True, slots=True)
class StepSeconds:
    """Seconds of one step.

    Attributes:
        name: what to write beneath the bars.
        phases: wall seconds by phase.
        solver: solver seconds, summed over samples.
    """

    name: str
    phases: Mapping[str, float]
    solver: float


def draw_phase_seconds(steps: Sequence[StepSeconds]) -> Figure:
    """Draw two bars for each step: its phases stacked, and beside them the solver."""
    figure = new_figure(min(max(6.4, 2.4 + 0.7 * len(steps)), _WIDEST), 3.6)
    axes, places = figure.subplots(), np.arange(len(steps))
    bottom = np.zeros(len(steps))
    for phase, colour in PHASES.items():
        seconds = np.array([step.phases.get(phase, 0.0) for step in steps])
        if seconds.any():
            axes.bar(places - _WIDTH / 2, seconds, _WIDTH, bottom, color=colour, label=phase)
        bottom += seconds
    solver = [step.solver for step in steps]
    axes.bar(places + _WIDTH / 2, solver, _WIDTH, color=ORANGE, label="solver")
    axes.margins(x=0.02)
    every = -(-len(steps) // _MOST_NAMES)
    axes.set_xticks(places[::every], [step.name for step in steps[::every]])
    axes.set_xlabel("step", fontsize=10)
    axes.set_ylabel("seconds", fontsize=10)
    figure.legend(loc="outside right upper", fontsize=9, frameon=False, reverse=True)
    finish(axes)
    axes.grid(visible=False, axis="x")
    return figure
