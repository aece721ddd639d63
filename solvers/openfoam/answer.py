"""From a finished run to a solution: what it wrote is read and judged before it is believed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from pools.errors import SolverError
from pools.outcome import Outcome
from pools.sample import Sample
from pools.solution import Field, Quantity, Solution
from solvers.openfoam.dimensions import field_file, unit_in
from solvers.openfoam.fluxes import imbalance
from solvers.openfoam.gate import Judged, judge
from solvers.openfoam.log import Log
from solvers.openfoam.quantities import Series, series_of, value_of
from solvers.openfoam.reader import (
    CaseReader,
    Region,
    internal_region,
    patches_region,
    resampled_region,
    scalar_of,
)
from solvers.openfoam.records import RecordError, Records
from solvers.openfoam.run import CaseRun
from solvers.openfoam.settings import OpenFOAMSettings
from solvers.openfoam.sources import CrossingSource
from solvers.openfoam.values import numbers_in


@dataclass(frozen=True)
class Answer:
    """Reads the answer of one run.

    Attributes:
        run: a run whose commands all did what they were for.
        units: unit of each field and quantity of the answer by name, as declared.
        steady: whether the case's time scheme is steady.
    """

    run: CaseRun
    units: Mapping[str, str]
    steady: bool

    def solution(self, sample: Sample, fingerprint: str) -> Solution:
        """Return the solution.

        Raises:
            SolverError: the run has not ended, has diverged, has not converged well enough, or
                lacks something that was declared.
        """
        written = self._last_time()
        series = self._series()
        judged = self._judge(series, written)
        region = self._region(written)
        if not judged.is_accepted(self._settings.convergence):
            raise self._rejected(judged)
        return Solution(
            sample=sample,
            mesh=region.mesh,
            fields={
                name: Field(scalar_of(region.arrays[s.field], s.component), self.units[name])
                for name, s in self._settings.fields.items()
            },
            quantities={name: self._quantity(name) for name in self._settings.quantities},
            provenance={"solver": fingerprint, **self._provenance(judged)},
            remark=judged.reason,
            grade=judged.grade,
            evidence=self.run.evidence,
        )

    @cached_property
    def _log(self) -> Log:
        """The log of the solver that ran last; a script's is read off its file, once."""
        return self.run.solver_log

    @cached_property
    def _records(self) -> Records:
        return Records(self.run.case)

    @property
    def _settings(self) -> OpenFOAMSettings:
        return self.run.settings

    def _last_time(self) -> Path:
        """Return the last time's directory, after a look whether the run came to an end."""
        log, written = self._log, self.run.last_time
        if not log.ended:
            raise self._bad("the solver's log has no end, though it says no error")
        if written is None or (log.last_time and float(written.name) != float(log.last_time)):
            found = "nothing" if written is None else f"time {written.name}"
            raise self._bad(
                f"the solver ended at time {log.last_time or '?'} but wrote {found} last; set "
                "writeInterval in system/controlDict so that the last time is written"
            )
        return written

    def _series(self) -> dict[str, Series]:
        """Return the quantities that have a record over time."""
        found = {}
        for name, source in self._settings.quantities.items():
            if isinstance(source, CrossingSource):
                continue
            try:
                found[name] = series_of(source, self._records)
            except RecordError as error:
                raise self._bad(f"quantity {name}: {error}") from error
            if not np.isfinite(found[name].values).all():
                raise self._diverged(f"the record of quantity {name} is not finite")
        return found

    def _judge(self, series: Mapping[str, Series], written: Path) -> Judged:
        return judge(
            self._settings.convergence,
            self._log,
            series,
            steady=self.steady,
            imbalance=imbalance(self.run.case, written),
        )

    def _region(self, written: Path) -> Region:
        """Read the fields; VTK's reader leaves out what is not there, and what was cut short."""
        bounds = self._settings.convergence.bounds
        names = sorted({*bounds, *(source.field for source in self._settings.fields.values())})
        self._check_units(written)
        try:
            region = read_region(self.run.case, self._settings, names)
        except KeyError as error:
            missing = str(error.args[0])
            raise self._bad(
                f"the field {missing} of time {written.name} is missing or cut short"
            ) from error
        for name, values in region.arrays.items():
            self._check_values(name, float(np.abs(values).max()), bounds.get(name))
        return region

    def _check_units(self, written: Path) -> None:
        for name, source in self._settings.fields.items():
            file = field_file(written, source.field)
            unit = None if file is None else unit_in(file)
            if unit is not None and unit != self.units[name]:
                raise self._bad(
                    f"the field {source.field} is in {unit}, but {name} is declared in "
                    f"{self.units[name]}; correct fields.{name}.unit or the case's dimensions"
                )

    def _check_values(self, name: str, largest: float, limit: float | None) -> None:
        if not np.isfinite(largest):
            raise self._diverged(f"the field {name} is not finite")
        if limit is not None and largest > limit:
            raise self._diverged(
                f"the field {name} reaches {largest:.3g}, beyond convergence.bounds = {limit:g}"
            )

    def _quantity(self, name: str) -> Quantity:
        numbers = numbers_in(self.run.values)
        source = self._settings.quantities[name]
        try:
            value = value_of(source, self._records, self._patch, numbers)
        except RecordError as error:
            raise self._bad(f"quantity {name}: {error}") from error
        return Quantity(value, self.units[name])

    def _patch(self, name: str, field: str) -> Region:
        reader = CaseReader(self.run.case, [field])
        if name not in reader.patches:
            raise RecordError(f"the mesh has no patch {name}; it has {', '.join(reader.patches)}")
        try:
            return patches_region([reader.patch(name)], [field])
        except KeyError as error:
            raise RecordError(f"the field {field} is missing or cut short") from error

    def _provenance(self, judged: Judged) -> dict[str, Any]:
        log, source = self._log, self.run.source
        return {
            "openfoam": self.run.installation.provenance,
            "ranks": self._settings.ranks,
            "iterations": log.iterations,
            "residuals": log.residuals,
            "gate": [finding.to_json() for finding in judged.findings],
            "start": "" if source is None else source.parent.name,
        }

    def _rejected(self, judged: Judged) -> SolverError:
        asked = f"; solver.convergence.accept is {self._settings.convergence.accept}"
        plain = self.run.error(Outcome.NOT_CONVERGED, judged.reason + asked)
        findings = [finding.to_json() for finding in judged.findings]
        evidence = {**plain.evidence, "grade": judged.grade, "gate": findings}
        return SolverError(plain.outcome, plain.reason, plain.directory, plain.log_tail, evidence)

    def _bad(self, reason: str) -> SolverError:
        return self.run.error(Outcome.BAD_OUTPUT, reason)

    def _diverged(self, reason: str) -> SolverError:
        return self.run.error(Outcome.DIVERGED, reason)


def read_region(case: Path, settings: OpenFOAMSettings, names: Sequence[str]) -> Region:
    """Read the declared part of a case with some of OpenFOAM's fields.

    Raises:
        KeyError: a field, or a patch, is not there; its name is the error's argument.
    """
    reader = CaseReader(case, names)
    if settings.region != "internal":
        surfaces = [reader.patch(patch) for patch in settings.region]
        return patches_region(surfaces, names)
    grid = reader.internal()
    if settings.resample is not None:
        return resampled_region(grid, names, settings.resample)
    return internal_region(grid, names)
