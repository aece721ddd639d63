"""A solver that behaves in some awkward way, for tests of what watches over solvers."""

import ctypes
import os
import shlex
import signal
import subprocess
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from flaky_solver import Flaky

from pools.errors import SolverError, UsageError
from pools.outcome import Outcome
from pools.sample import Sample
from pools.solution import Field, Mesh, Solution
from solvers.processes import dies_with_parent

_PR_SET_PDEATHSIG = 1
SIZE = 768 << 20  # bytes that are asked for
_SOUND = Flaky(edge=-1)


@dataclass(frozen=True)
class Awkward:
    """Answers as `Flaky` does, in the way that `kind` says.

    Attributes:
        kind: see `_behave`.
        does: a command, a directory: what the kind needs.
        level: below `needed` it does not converge.
        needed: see `level`.
        cells: of the mesh, in one row.
        takes_starts: whether it can begin from another sample's solution; it then converges.
    """

    kind: str = ""
    does: str = ""
    level: int = 0
    needed: int = 0
    cells: int = 1
    takes_starts: bool = True

    fingerprint = "awkward"
    parameters = _SOUND.parameters
    quantities = _SOUND.quantities
    fields = _SOUND.fields

    def mesh(self, sample: Sample) -> Mesh:
        if self.cells == 1:
            return _SOUND.mesh(sample)
        x, y = np.meshgrid(np.linspace(0, 1, self.cells + 1), [0.0, 1.0])
        left = np.arange(self.cells)
        quads = np.stack([left, left + 1, left + self.cells + 2, left + self.cells + 1], axis=1)
        return Mesh.of_quads(np.column_stack([x.ravel(), y.ravel()]), quads)

    def solve(
        self, sample: Sample, directory: Path, *, initial: Solution | None = None
    ) -> Solution:
        (directory / "case" / "0").mkdir(parents=True)
        (directory / "case" / "0" / "u").write_text("a field")
        if initial is not None:
            (directory / "started-from.txt").write_text(initial.provenance["case"])
            if not self.takes_starts:
                raise UsageError("the initial solution is on another mesh")
        elif self.level < self.needed:
            reason = f"level {self.level} is not enough"
            evidence = {"residual": float("nan"), "levels": np.arange(2), "grade": "rejected"}
            raise SolverError(Outcome.NOT_CONVERGED, reason, directory, evidence=evidence)
        self._behave(directory)
        mesh = self.mesh(sample)
        ramp = Field(np.zeros(len(mesh.points)), "m")
        solution = replace(_SOUND.solve(sample, directory), mesh=mesh, fields={"ramp": ramp})
        if self.kind == "marginal":
            return replace(solution, remark="drifts a little", grade="marginal")
        return solution

    def _behave(self, directory: Path) -> None:
        match self.kind:
            case "allocates":
                np.ones(SIZE // 8)
            case "bad_alloc":  # as C++ ends where nobody catches it
                print("terminate called after throwing an instance of 'std::bad_alloc'")  # noqa: T201
                os.abort()
            case "oom":  # in a control group that has little
                (Path(self.does) / "cgroup.procs").write_text(str(os.getpid()))
                np.ones(SIZE // 8)
            case "crashes":
                os.kill(os.getpid(), signal.SIGSEGV)
            case "runs":  # a command, tied to the solve
                subprocess.run(
                    shlex.split(self.does),
                    check=True,
                    cwd=directory,
                    preexec_fn=dies_with_parent(),
                )
            case "scripts":  # a command that starts others, and is tied to nothing
                subprocess.run(["sh", "-c", self.does], check=True, cwd=directory)
            case "outlives":  # its supervisor
                ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, 0)
                os.environ.clear()
                time.sleep(1000)
