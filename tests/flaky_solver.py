"""Solvers that fail on purpose, for tests of what happens then."""

import os
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pools.errors import SolverError
from pools.outcome import Outcome
from pools.sample import Sample
from pools.solution import Field, Mesh, Quantity, Solution

POINTS = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])


@dataclass(frozen=True)
class Flaky:
    """Fails where `x` is below `edge`.

    Attributes:
        edge: where it fails.
        kind: `diverged` while the file `switch` exists; `killed` on the first attempt;
            `hangs` (with a process of its own, deaf to TERM), `hangs_elsewhere` (that process in
            another session), `leaves` (a process in another session, and succeeds), `raises`,
            `nan` always; `unusable` cannot be built, `chatty` prints when it is built,
            `served` starts a process then, for all its solves.
        switch: a file.
    """

    edge: float = 0.5
    kind: str = "diverged"
    switch: str = ""

    def __post_init__(self) -> None:
        if self.kind == "unusable":
            raise ValueError("the mesh file is missing")
        if self.kind == "served":
            subprocess.Popen(["sleep", "1000"])
        if self.kind == "chatty":
            print("Welcome to Flaky 1.0", flush=True)  # noqa: T201 - as some libraries do

    @property
    def fingerprint(self) -> str:
        return "flaky"

    @property
    def parameters(self) -> dict[str, str]:
        return {"x": "1"}

    @property
    def quantities(self) -> dict[str, str]:
        return {"square": "1"}

    @property
    def fields(self) -> dict[str, str]:
        return {"ramp": "m"}

    def mesh(self, sample: Sample) -> Mesh:  # noqa: ARG002 - the same for all
        return Mesh.of_quads(POINTS, np.array([[0, 1, 2, 3]]))

    def solve(
        self,
        sample: Sample,
        directory: Path,
        *,
        initial: Solution | None = None,  # noqa: ARG002 - it starts from nothing
    ) -> Solution:
        x = sample.parameters["x"]
        value = self._fail(directory) if x < self.edge else x
        return Solution(
            sample=sample,
            mesh=self.mesh(sample),
            fields={"ramp": Field(POINTS[:, 0] * x, "m")},
            quantities={"square": Quantity(value**2, "1")},
        )

    def _fail(self, directory: Path) -> float:
        match self.kind:
            case "diverged" if Path(self.switch).exists():
                raise SolverError(Outcome.DIVERGED, "the switch is on", directory)
            case "killed" if directory.name == "attempt-01":
                os.kill(os.getpid(), signal.SIGKILL)
            case "hangs" | "hangs_elsewhere":
                elsewhere = self.kind == "hangs_elsewhere"
                signal.signal(signal.SIGTERM, signal.SIG_IGN)
                subprocess.run(["sleep", "1000"], check=False, start_new_session=elsewhere)
            case "leaves":
                subprocess.Popen(["sleep", "1000"], start_new_session=True)
            case "raises":
                print("residual 1e9")  # noqa: T201 - what a solver prints is evidence
                raise ValueError("a bug of the user's")
            case "nan":
                return float("nan")
        return 0.25
