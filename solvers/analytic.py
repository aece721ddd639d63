"""Closed forms that answer like solvers, for tests and tutorials.

`local` is smooth but for one narrow peak, where adaptive sampling pays; `shock` has a front that
moves with the parameters, which is what is hard about transonic flow; `wave` is as small as a
field problem can be; `cliff` has no answer in two fifths of the cube, is steepest before that, and
takes up to ten times as long in one corner as in the opposite one; `friedman` is the usual test
of regression: ten parameters, of which five change nothing [Friedman1991]; `forrester` and
`forrester_low` are the usual pair of a dear function and a cheap one like it [Forrester2007].

[Friedman1991] J. H. Friedman, Multivariate adaptive regression splines, The Annals of Statistics
19(1), 1991: section 4.3.
[Forrester2007] A. I. J. Forrester, A. Sobester and A. J. Keane, Multi-fidelity optimization via
surrogate modelling, Proceedings of the Royal Society A 463, 2007.
"""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pools.errors import SolverError
from pools.outcome import Outcome
from pools.sample import Sample
from pools.solution import Field, Mesh, Quantity, Solution
from solvers.settings import AnalyticSettings

Array = NDArray[np.float64]
Answer = tuple[dict[str, float], dict[str, Array]]  # quantities, and fields of shape (p,)

NUMERICS = 1  # raise it when a change of the code alters answers: samples are then solved anew


@dataclass(frozen=True, slots=True)
class ClosedForm:
    """One problem: what it asks for, what it answers, and where.

    Attributes:
        parameters: their names, in the order that `evaluate` takes them; each is meant for 0 to 1.
        quantities: names of the quantities of interest.
        fields: names of the fields.
        grid: cells along x and y of the unit square that carries the fields; none without fields.
        evaluate: takes parameters, shape (d,), and points, shape (p, 2).
        margin: takes parameters, shape (d,); below 0 there is no answer.
        effort: takes parameters, shape (d,); how many times longer it takes than at the quickest.
    """

    parameters: tuple[str, ...]
    quantities: tuple[str, ...]
    fields: tuple[str, ...]
    grid: tuple[int, int] | None
    evaluate: Callable[[Array, Array], Answer]
    margin: Callable[[Array], float] = lambda _: 1.0
    effort: Callable[[Array], float] = lambda _: 1.0

    def mesh(self) -> Mesh:
        """Return the mesh, the same for every sample."""
        return Mesh.of_point() if self.grid is None else _unit_square(*self.grid)


def wave(x: Array, points: Array) -> Answer:
    """Return a standing wave whose length and phase are the parameters."""
    length, phase = x
    height = np.sin(2 * np.pi * ((0.5 + length) * points[:, 0] + phase)) * points[:, 1]
    return {"crest": float(height.max())}, {"height": height}


def local(x: Array, points: Array) -> Answer:  # noqa: ARG001  # a scalar lives at no point
    """Return a gentle slope with a peak of height 2 and width 0.12 at 0.7 in each direction."""
    slope = 0.3 * x[0] + 0.2 * math.sin(3 * x[1]) + 0.1 * x[2] * x[3]
    peak = 2 * math.exp(-0.5 * float(np.sum((x - 0.7) ** 2)) / 0.12**2)
    return {"response": float(slope + peak)}, {}


def shock(x: Array, points: Array) -> Answer:
    """Return a density that jumps across a front of varying place, tilt, width and strength."""
    place, tilt, width, strength = x
    ahead = points[:, 0] - (0.2 + 0.6 * place) - 0.4 * (tilt - 0.5) * (points[:, 1] - 0.5)
    jump = 0.5 * (1 + strength) * (1 - np.tanh(ahead / (0.01 + 0.09 * width)))
    density = 1 + jump * (1 + 0.2 * points[:, 0])
    drop = float(density[0] - density[-1])  # from one corner of the square to the other
    return {"mean_density": float(density.mean()), "drop": drop}, {"density": density}


def cliff_margin(x: Array) -> float:
    """Return how far a point is from the cliff: negative in 40 % of the unit cube."""
    return float(0.78 - 0.75 * x[0] - 0.65 * x[1] - 0.3 * math.sin(2 * math.pi * x[2]) * x[3])


def cliff_effort(x: Array) -> float:
    """Return 1 to 10: each of two parameters alone makes it 3.2 times as much."""
    return float(10 ** (0.5 * (x[2] + x[3])))


def cliff(x: Array, points: Array) -> Answer:  # noqa: ARG001  # a scalar lives at no point
    """Return a response that steepens towards a cliff, as a structure's before it buckles."""
    slope = 0.3 * math.sin(3 * x[0]) + 0.2 * x[1] * x[2] + 0.1 * math.cos(4 * x[3])
    return {"response": float(slope + 0.1 / (0.1 + cliff_margin(x)))}, {}


def friedman(x: Array, points: Array) -> Answer:  # noqa: ARG001  # a scalar lives at no point
    """Return 10 sin(pi x1 x2) + 20 (x3 - 1/2)^2 + 10 x4 + 5 x5, without noise [Friedman1991]."""
    curved = 10 * math.sin(math.pi * x[0] * x[1]) + 20 * (x[2] - 0.5) ** 2
    return {"response": float(curved + 10 * x[3] + 5 * x[4])}, {}


def forrester(x: Array, points: Array) -> Answer:  # noqa: ARG001  # a scalar lives at no point
    """Return (6 x - 2)^2 sin(12 x - 4), the dear function of a pair [Forrester2007]."""
    return {"response": float((6 * x[0] - 2) ** 2 * math.sin(12 * x[0] - 4))}, {}


def forrester_low(x: Array, points: Array) -> Answer:
    """Return half the dear function and a slope, the cheap one of the pair [Forrester2007]."""
    dear = forrester(x, points)[0]["response"]
    return {"response": float(0.5 * dear + 10 * (x[0] - 0.5) - 5)}, {}


CLOSED_FORMS: Mapping[str, ClosedForm] = {
    "wave": ClosedForm(("length", "phase"), ("crest",), ("height",), (4, 4), wave),
    "local": ClosedForm(("x1", "x2", "x3", "x4"), ("response",), (), None, local),
    "shock": ClosedForm(
        ("place", "tilt", "width", "strength"),
        ("mean_density", "drop"),
        ("density",),
        (32, 16),
        shock,
    ),
    "cliff": ClosedForm(
        ("x1", "x2", "x3", "x4"), ("response",), (), None, cliff, cliff_margin, cliff_effort
    ),
    "friedman": ClosedForm(
        tuple(f"x{i}" for i in range(1, 11)), ("response",), (), None, friedman
    ),
    "forrester": ClosedForm(("x",), ("response",), (), None, forrester),
    "forrester_low": ClosedForm(("x",), ("response",), (), None, forrester_low),
}


@dataclass(frozen=True, slots=True)
class AnalyticSolver:
    """Answers with a closed form; on request it takes its time, or diverges in a region.

    It declares its effort in the evidence of an answer and of a failure: how many times longer it
    takes, as if it slept, than at the quickest.
    """

    settings: AnalyticSettings

    @property
    def fingerprint(self) -> str:
        edge = self.settings.fails_above
        return f"analytic/{NUMERICS} {self.settings.problem} fails_above={edge}"

    @property
    def parameters(self) -> Mapping[str, str]:
        return dict.fromkeys(self._form.parameters, "1")

    @property
    def quantities(self) -> Mapping[str, str]:
        return dict.fromkeys(self._form.quantities, "1")

    @property
    def fields(self) -> Mapping[str, str]:
        return dict.fromkeys(self._form.fields, "1")

    def mesh(self, sample: Sample) -> Mesh:  # noqa: ARG002  # the same for every sample
        return self._form.mesh()

    def solve(
        self,
        sample: Sample,
        directory: Path,
        *,
        initial: Solution | None = None,  # noqa: ARG002  # a closed form starts from nothing
    ) -> Solution:
        x = sample.row(self._form.parameters)
        effort = self._form.effort(x)
        time.sleep(self.settings.seconds * effort)
        self._check(x, effort, directory)
        mesh = self._form.mesh()
        quantities, fields = self._form.evaluate(x, mesh.points[:, :2])
        return Solution(
            sample=sample,
            mesh=mesh,
            fields={name: Field(values, "1") for name, values in fields.items()},
            quantities={name: Quantity(value, "1") for name, value in quantities.items()},
            provenance={"solver": self.fingerprint},
            evidence={"effort": effort},
        )

    @property
    def _form(self) -> ClosedForm:
        return CLOSED_FORMS[self.settings.problem]

    def _check(self, x: Array, effort: float, directory: Path) -> None:
        if reason := self._trouble(x):
            (directory / "solver.log").write_text(f"{reason}\n", encoding="utf-8")
            evidence = {"effort": effort}
            raise SolverError(Outcome.DIVERGED, reason, directory, reason, evidence)

    def _trouble(self, x: Array) -> str:
        """Say why there is no answer; nothing where there is one."""
        edge, beyond = self.settings.fails_above, -self._form.margin(x)
        if edge is not None and x[0] > edge:
            return (
                f"{self._form.parameters[0]} is {x[0]:g}, above the {edge:g} at which this closed "
                "form is told to diverge; raise fails_above"
            )
        if beyond > 0:
            return (
                f"the point is {beyond:.3g} beyond the edge of the region in which this closed "
                "form has an answer; lower its first parameters"
            )
        return ""


def _unit_square(columns: int, rows: int) -> Mesh:
    """Return a regular grid of quadrilaterals, point by point along y, then x."""
    x, y = np.linspace(0, 1, columns + 1), np.linspace(0, 1, rows + 1)
    points = np.stack(np.meshgrid(x, y, indexing="ij"), axis=-1).reshape(-1, 2)  # (p, 2)
    index = np.arange(len(points)).reshape(columns + 1, rows + 1)
    corners = [index[:-1, :-1], index[1:, :-1], index[1:, 1:], index[:-1, 1:]]
    return Mesh.of_quads(points, np.stack(corners, axis=-1).reshape(-1, 4))
