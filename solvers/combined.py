"""The combined equation as a solver: six parameters to a field on a line, in milliseconds.

Between Burgers' shocks, diffusion and trains of solitons, it is the small equation on which
active learning of partial differential equations is compared [Musekamp2024].

[Musekamp2024] D. Musekamp et al., Active learning for neural PDE solvers (AL4PDE),
arXiv:2408.01536, 2024.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

import numpy as np

from pools.errors import SolverError, UsageError
from pools.outcome import Outcome
from pools.sample import Sample
from pools.solution import Field, Mesh, Quantity, Solution
from solvers.cells import mesh_of_grid
from solvers.combined_equation import LENGTH, Array, CombinedEquation, places, tail
from solvers.etdrk4 import Modes
from solvers.settings import CombinedSettings

NUMERICS = 1  # raise it when a change of the code alters answers: samples are then solved anew

PARAMETERS = MappingProxyType(
    {"alpha": "1", "beta": "1", "gamma": "1", "amplitude": "1", "mix": "1", "phase": "rad"}
)
QUANTITIES = MappingProxyType({"energy": "1", "steepness": "1"})
FIELDS = MappingProxyType({"u": "1"})

_LOG = "solver.log"


@dataclass(frozen=True, slots=True)
class CombinedSolver:
    """Solves u_t + (alpha u^2 - beta u_x + gamma u_xx)_x = 0 from two waves [Musekamp2024]."""

    settings: CombinedSettings

    @property
    def fingerprint(self) -> str:
        numerics = json.dumps(self.settings.model_dump(mode="json"), sort_keys=True)
        return f"combined/{NUMERICS} {numerics}"

    @property
    def parameters(self) -> Mapping[str, str]:
        return PARAMETERS

    @property
    def quantities(self) -> Mapping[str, str]:
        return QUANTITIES

    @property
    def fields(self) -> Mapping[str, str]:
        return FIELDS

    def mesh(self, sample: Sample) -> Mesh:  # noqa: ARG002  # the same for every sample
        points = self.settings.points
        line = mesh_of_grid([(0.0, float(places(points)[-1]))], [points])
        return replace(line, weights=np.full(points, 1 / points))  # of a circle all count alike

    def solve(
        self,
        sample: Sample,
        directory: Path,
        *,
        initial: Solution | None = None,  # noqa: ARG002  # it begins at time zero
    ) -> Solution:
        settings = self.settings
        start = two_waves(sample.parameters, places(settings.points))
        modes = _equation(sample).solve(start, settings.duration, settings.steps)
        self._check(modes, directory)
        u = np.fft.irfft(modes, settings.points)
        quantities = {"energy": float(np.mean(u**2)), "steepness": steepness(modes)}
        return Solution(
            sample=sample,
            mesh=self.mesh(sample),
            fields={"u": Field(u, FIELDS["u"])},
            quantities={
                name: Quantity(quantities[name], unit) for name, unit in QUANTITIES.items()
            },
            provenance={"solver": self.fingerprint, "tail": tail(modes)},
        )

    def _check(self, modes: Modes, directory: Path) -> None:
        """Refuse what blew up, or has waves shorter than the mesh resolves."""
        if not np.isfinite(modes).all():
            reason = f"u is not finite after {self.settings.steps} steps; raise steps, or beta"
            raise _failure(Outcome.DIVERGED, reason, directory)
        if (share := tail(modes)) > self.settings.tail:
            reason = (
                f"the shortest waves are {share:.2g} of the largest and {self.settings.tail:g} is "
                f"allowed: {self.settings.points} points do not resolve u; raise points, or beta"
            )
            raise _failure(Outcome.NOT_CONVERGED, reason, directory)


def two_waves(parameters: Mapping[str, float], x: Array) -> Array:
    """Return u at the beginning: one wave round the circle, mixed with one of half its length.

    Args:
        parameters: `amplitude`, `mix` (the second wave's share, 0 to 1) and `phase` (its own).
        x: coordinates, shape (p,).
    """
    angle, mix = 2 * np.pi / LENGTH * x, parameters["mix"]
    waves = (1 - mix) * np.sin(angle) + mix * np.sin(2 * angle + parameters["phase"])
    return np.asarray(parameters["amplitude"] * waves)


def steepness(modes: Modes) -> float:
    """Return the root mean square of u_x."""
    index = np.arange(len(modes))
    points = 2 * (len(modes) - 1)
    slope = np.fft.irfft(2j * np.pi / LENGTH * index * modes, points)
    return float(np.sqrt(np.mean(slope**2)))


def _equation(sample: Sample) -> CombinedEquation:
    alpha, beta, gamma = (sample.parameters[name] for name in ("alpha", "beta", "gamma"))
    if beta < 0:
        raise UsageError(f"beta is {beta:g}; diffusion cannot be negative: raise its lower bound")
    return CombinedEquation(alpha, beta, gamma)


def _failure(outcome: Outcome, reason: str, directory: Path) -> SolverError:
    (directory / _LOG).write_text(f"{reason}\n", encoding="utf-8")
    return SolverError(outcome, reason, directory, reason)
