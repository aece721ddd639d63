"""A solver whose residual is the error itself, for tests of who asks for residuals."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pools.errors import SolverError
from pools.outcome import Outcome
from pools.sample import Sample
from pools.solution import Mesh, Solution
from solvers.analytic import AnalyticSolver
from solvers.settings import AnalyticSettings

_WAVE = AnalyticSolver(AnalyticSettings(problem="wave"))


@dataclass(frozen=True)
class WaveResidual:
    """Solves the analytic wave; its residual has no value where `length` is above `edge`.

    Attributes:
        edge: above it, the residual does what `kind` says.
        kind: `diverges`, `hangs` or `nan`.
    """

    edge: float = 1.0
    kind: str = "diverges"

    fingerprint = "wave with residual"
    parameters = _WAVE.parameters
    quantities = _WAVE.quantities
    fields = _WAVE.fields

    def mesh(self, sample: Sample) -> Mesh:
        return _WAVE.mesh(sample)

    def solve(
        self, sample: Sample, directory: Path, *, initial: Solution | None = None
    ) -> Solution:
        return _WAVE.solve(sample, directory, initial=initial)

    def residual(self, sample: Sample, fields: NDArray[np.float64], directory: Path) -> float:
        (directory / "evidence").write_text("the solver writes here")
        if sample.parameters["length"] > self.edge:
            return self._fail(directory)
        off = fields - _WAVE.solve(sample, directory).stacked_fields()
        return float(np.sqrt(np.mean(off**2)))

    def _fail(self, directory: Path) -> float:
        if self.kind == "hangs":
            subprocess.run(["sleep", "1000"], check=False)
        if self.kind == "nan":
            return float("nan")
        raise SolverError(Outcome.DIVERGED, "the first iteration diverged", directory)
