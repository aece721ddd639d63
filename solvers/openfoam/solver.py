"""Any OpenFOAM case as a solver: sample to solution."""

import hashlib
import json
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pools.errors import UsageError
from pools.sample import Sample
from pools.solution import Mesh, Solution
from solvers.openfoam.answer import Answer, read_region
from solvers.openfoam.installation import find_installation
from solvers.openfoam.predicted import check_residual, residual_of
from solvers.openfoam.quantities import unit_of
from solvers.openfoam.run import CaseRun
from solvers.openfoam.settings import OpenFOAMSettings
from solvers.openfoam.start import case_of
from solvers.openfoam.template import Template

Array = NDArray[np.float64]

NUMERICS = 1  # raise it when a change of the code alters answers: samples are then solved anew

_DECIDES_NOTHING = {"template", "parameters", "ranks", "heartbeat_seconds", "start", "starts"}


@dataclass(frozen=True)
class OpenFOAMSolver:
    """Solves copies of a case template; see `solvers.openfoam.settings` for the declaration."""

    settings: OpenFOAMSettings

    def __post_init__(self) -> None:
        with suppress(UsageError):  # preflight says so; what has been solved can be read without
            find_installation()  # once, and not in every forked solve

    @cached_property
    def fingerprint(self) -> str:
        declared = self.settings.model_dump(mode="json", exclude=_DECIDES_NOTHING)
        if not self.settings.choices:  # which cases solved before there were any do not have
            del declared["choices"]
        text = json.dumps(declared, sort_keys=True).encode()
        digest = hashlib.sha256(text).hexdigest()[:16]
        return f"openfoam/{NUMERICS} template={self._template.digest()} declaration={digest}"

    @property
    def parameters(self) -> Mapping[str, str]:
        return self.settings.parameters

    @cached_property
    def quantities(self) -> Mapping[str, str]:
        found = {n: unit_of(s, self._template.unit) for n, s in self.settings.quantities.items()}
        return {name: _declared(f"quantities.{name}", unit) for name, unit in found.items()}

    @cached_property
    def fields(self) -> Mapping[str, str]:
        return {
            name: _declared(f"fields.{name}", source.unit or self._template.unit(source.field))
            for name, source in self.settings.fields.items()
        }

    def mesh(self, sample: Sample) -> Mesh:
        with tempfile.TemporaryDirectory(prefix="solverloop-mesh-") as directory:
            run = self._run(sample, Path(directory), None)
            run.prepare()
            run.mesh()
            return read_region(run.case, self.settings, ()).mesh

    def solve(
        self, sample: Sample, directory: Path, *, initial: Solution | None = None
    ) -> Solution:
        run = self._run(sample, directory, initial)
        run.prepare()
        run.solve()
        units = {**self.quantities, **self.fields}
        return Answer(run, units, self._template.is_steady()).solution(sample, self.fingerprint)

    def residual(self, sample: Sample, fields: Array, directory: Path) -> float:
        """Return how far fields are from solving a steady case, from one iteration on one core.

        Its initial residuals of the predicted fields' equations: OpenFOAM's own measure. It is
        small, not 0, for the solution, which is interpolated to the cells.
        """
        check_residual(self.settings, steady=self._template.is_steady())
        alone = self.settings.model_copy(update={"ranks": 1})
        run = CaseRun(alone, directory.resolve(), sample.parameters, find_installation())
        run.prepare()
        return residual_of(run, fields)

    @cached_property
    def _template(self) -> Template:
        template = Template(Path(self.settings.template))
        template.check()
        return template

    def _run(self, sample: Sample, directory: Path, initial: Solution | None) -> CaseRun:
        source = None if initial is None else self._source(initial)
        installation, case = find_installation(), directory.resolve()
        return CaseRun(self.settings, case, sample.parameters, installation, source)

    def _source(self, initial: Solution) -> Path | None:
        """Return the case that a solution came from: its fields are more than the solution's."""
        if "case" not in initial.provenance:
            return None  # it knows of none: it is started from nothing, and provenance says so
        if (case := case_of(initial.provenance)) is None:
            raise UsageError(
                f"the case of sample {initial.sample.id} is not there any more; keep the cases "
                "with label.keep: all where samples start from others"
            )
        return case


def _declared(key: str, unit: str | None) -> str:
    if unit is None:
        raise UsageError(
            f"solver.{key} has no unit: its field is not among the template's initial fields, so "
            f"declare it, such as unit: m/s"
        )
    return unit
