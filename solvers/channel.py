"""The embedded default solver: steady flow past an elliptic obstacle in a channel.

Each attempt that fails leads to the next, further from what was asked but surer to converge: from
the flow of another sample, from rest, and by continuation in Reynolds number.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import version
from pathlib import Path
from types import MappingProxyType
from typing import Any, TextIO

from pools.errors import SolverError, UsageError
from pools.outcome import Outcome
from pools.sample import Sample
from pools.solution import Field, Mesh, Quantity, Solution
from solvers import continuation
from solvers.channel_flow import ChannelFlow
from solvers.channel_mesh import LEVELS, Obstacle
from solvers.navier_stokes import Array, Iterations, newton
from solvers.predicted import check_predicted
from solvers.settings import ChannelSettings

NUMERICS = 1  # raise it when a change of the code alters answers: samples are then solved anew

PARAMETERS = MappingProxyType(
    {"reynolds": "1", "semi_axis_a": "m", "semi_axis_b": "m", "angle": "deg", "height": "m"}
)
QUANTITIES = MappingProxyType({"drag": "1", "lift": "1", "pressure_difference": "m2/s2"})
FIELDS = MappingProxyType({"u": "m/s", "v": "m/s", "p": "m2/s2"})

_LOG = "solver.log"
_PICARD = 3  # steps from rest before Newton's
_WARM = 12  # most steps from another flow: Newton either converges by then or wanders
_TAIL = 20  # lines of the log that a failure carries


@dataclass(frozen=True, slots=True)
class ChannelSolver:
    """Solves steady Navier-Stokes past an ellipse; see `solvers.channel_flow` for the scales."""

    settings: ChannelSettings

    @property
    def fingerprint(self) -> str:
        numerics = json.dumps(self.settings.model_dump(mode="json"), sort_keys=True)
        return f"channel/{NUMERICS} {numerics}"

    @property
    def parameters(self) -> Mapping[str, str]:
        return PARAMETERS

    @property
    def quantities(self) -> Mapping[str, str]:
        return QUANTITIES

    @property
    def fields(self) -> Mapping[str, str]:
        return FIELDS

    def mesh(self, sample: Sample) -> Mesh:
        obstacle = Obstacle.of(sample.parameters)
        if fault := obstacle.fault():
            raise UsageError(f"sample {sample.id} has no mesh: {fault}")
        return ChannelFlow.past(obstacle, LEVELS[self.settings.mesh]).mesh()

    def solve(
        self, sample: Sample, directory: Path, *, initial: Solution | None = None
    ) -> Solution:
        with (directory / _LOG).open("w", encoding="utf-8", buffering=1) as log:
            log.write(f"{self.fingerprint}\n{json.dumps(dict(sample.parameters))}\n")
            flow = self._mesh(sample, directory, log)
            search = _Search(flow, _reynolds(sample), self.settings, log)
            end = search.run(initial)
            log.write(f"{end.outcome.value}\n")
        if end.outcome is not Outcome.OK:
            raise _failure(end.outcome, search.account(end), directory)
        return self._solution(sample, search, end.state)

    def residual(self, sample: Sample, fields: Array, directory: Path) -> float:
        """Return how far fields are from solving the discrete equations of Newton's method.

        The boundary's values are imposed first; of the pressure, the corners of the cells count.

        Returns:
            `ChannelFlow.residual`: 0 for the solution, about 0.2 for fields in error by a third.
        """
        with (directory / _LOG).open("w", encoding="utf-8", buffering=1) as log:
            flow = self._mesh(sample, directory, log)
        check_predicted(fields, flow.space.nodes, FIELDS)
        predicted = dict(zip(FIELDS, fields.T, strict=True))
        return flow.residual(flow.problem(_reynolds(sample)), flow.with_boundary(predicted))

    def _mesh(self, sample: Sample, directory: Path, log: TextIO) -> ChannelFlow:
        obstacle = Obstacle.of(sample.parameters)
        fault = obstacle.fault()
        if fault is None:
            flow = ChannelFlow.past(obstacle, LEVELS[self.settings.mesh])
            if flow.space.area.min() > 0:
                return flow
            fault = "cells are turned inside out; make the obstacle rounder, smaller or centred"
        log.write(f"{fault}\n")
        raise _failure(Outcome.MESH, fault, directory)

    def _solution(self, sample: Sample, search: "_Search", state: Array) -> Solution:
        flow, fields = search.flow, search.flow.fields(state)
        quantities = flow.quantities(flow.problem(search.reynolds), state)
        return Solution(
            sample=sample,
            mesh=flow.mesh(),
            fields={name: Field(fields[name], unit) for name, unit in FIELDS.items()},
            quantities={
                name: Quantity(quantities[name], unit) for name, unit in QUANTITIES.items()
            },
            provenance={
                "solver": self.fingerprint,
                "versions": {name: version(name) for name in ("scikit-fem", "scipy", "numpy")},
                "unknowns": flow.space.unknowns,
                "attempts": search.history,
            },
        )


@dataclass(slots=True)
class _Search:
    """The attempts at one sample, in order, until one converges."""

    flow: ChannelFlow
    reynolds: float
    settings: ChannelSettings
    log: TextIO
    history: list[dict[str, Any]] = field(default_factory=list)

    def run(self, initial: Solution | None) -> Iterations:
        """Return the first iterations that converge, or the last."""
        if initial is not None:
            end = self._iterate("initial", self.reynolds, self._restore(initial))
            if end.outcome is Outcome.OK:
                return end
        end = self._iterate("rest", self.reynolds, None)
        if end.outcome is Outcome.OK or not self.settings.continuation:
            return end
        return continuation.follow(partial(self._iterate, "continuation"), self.reynolds)

    def account(self, end: Iterations) -> str:
        """Say what failed and the way out."""
        last = self.history[-1]
        return (
            f"the residual is {end.residuals[-1]:.2e} after {last['iterations']} iterations at "
            f"Reynolds {last['reynolds']:.5g}, attempt {len(self.history)} ({last['start']}); "
            f"{self.settings.tolerance:g} is asked for within {self.settings.max_iterations}: "
            "raise max_iterations, set continuation: true, or take a finer mesh"
        )

    def _iterate(self, start: str, reynolds: float, state: Array | None) -> Iterations:
        self.log.write(f"attempt {len(self.history) + 1} from {start}, Reynolds {reynolds:.6g}\n")
        most = self.settings.max_iterations
        end = newton(
            self.flow.problem(reynolds),
            self.flow.at_rest() if state is None else state,
            picard=_PICARD if state is None else 0,
            tolerance=self.settings.tolerance,
            max_iterations=most if state is None else min(most, _WARM),
            log=self.log,
        )
        self.history.append(
            {
                "start": start,
                "reynolds": reynolds,
                "outcome": end.outcome.value,
                "iterations": len(end.residuals) - 1,
                "residual": end.residuals[-1],
            }
        )
        return end

    def _restore(self, initial: Solution) -> Array:
        """Take the inner state from another sample's flow and the boundary's values from ours."""
        if len(initial.mesh.points) != self.flow.space.nodes:
            raise UsageError(
                f"the initial solution has {len(initial.mesh.points)} mesh points and this mesh "
                f"{self.flow.space.nodes}; start from a solution on the same mesh level"
            )
        return self.flow.with_boundary({name: f.values for name, f in initial.fields.items()})


def _reynolds(sample: Sample) -> float:
    reynolds = sample.parameters["reynolds"]
    if not reynolds > 0:
        raise UsageError(f"reynolds is {reynolds:g}; it must be above 0: raise its lower bound")
    return reynolds


def _failure(outcome: Outcome, reason: str, directory: Path) -> SolverError:
    lines = (directory / _LOG).read_text(encoding="utf-8").splitlines()
    return SolverError(outcome, reason, directory, "\n".join(lines[-_TAIL:]))
