"""The quantities of interest of a run: what function objects wrote and patches hold."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import assert_never

import numpy as np
from numpy.typing import NDArray

from pools import expression
from solvers.components import AXES
from solvers.openfoam.installation import COEFFICIENT_FILES, FORCE_FILES
from solvers.openfoam.measures import measure
from solvers.openfoam.reader import Region, scalar_of
from solvers.openfoam.records import NOT_FOUND, Record, RecordError, Records
from solvers.openfoam.sources import (
    CoefficientSource,
    CrossingSource,
    ForceSource,
    FunctionSource,
    ProbeSource,
    QuantitySource,
    SurfaceSource,
)

Array = NDArray[np.float64]
RecordedSource = CoefficientSource | ForceSource | ProbeSource | SurfaceSource | FunctionSource
PatchReader = Callable[[str, str], Region]
"""Reads a patch with one field of OpenFOAM's."""


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """A quantity over time or iterations: times (t,) and values (t,)."""

    times: Array
    values: Array


def series_of(source: RecordedSource, records: Records) -> Series:
    """Return a quantity over time or iterations.

    Args:
        source: what it is.
        records: what the case's function objects wrote.

    Raises:
        RecordError: its function object did not write it.
    """
    match source:
        case CoefficientSource():
            record = records.find(source.function, COEFFICIENT_FILES)
            values = record.column(source.column)
        case ForceSource():
            return _force(source, records)
        case ProbeSource():
            record = records.find(source.function, (source.field,))
            values = _probed(record, source, source.probe)
            if source.minus is not None:
                values = values - _probed(record, source, source.minus)
        case SurfaceSource():
            record = records.find(source.function)
            values = record.column(source.column, source.component)
        case FunctionSource():
            record = records.find(source.function, (source.file,) if source.file else ())
            values = record.column(source.column)
        case _:
            assert_never(source)
    return Series(record.times, values)


def value_of(
    source: QuantitySource, records: Records, patch: PatchReader, numbers: Mapping[str, float]
) -> float:
    """Return a quantity of interest.

    Args:
        source: what it is.
        records: what the case's function objects wrote.
        patch: reads a patch.
        numbers: what expressions may name.

    Raises:
        RecordError: it is not there.
    """
    if isinstance(source, CrossingSource):
        value = _crossing(source, patch(source.patch, source.field))
    else:
        series = series_of(source, records)
        value = measure(series.times, series.values, source.statistic, source.last)
        if source.statistic == "frequency" and value == 0:
            raise RecordError(
                f"the record of {source.function} swings less than once in its last "
                f"{source.last:.0%}, which has no frequency; run for longer"
            )
    return value * expression.evaluate(source.scale, numbers)


def unit_of(source: QuantitySource, field_unit: Callable[[str], str | None]) -> str | None:
    """Return a quantity's unit; None where it is neither declared nor known from a field.

    Args:
        source: what it is.
        field_unit: unit of a field of OpenFOAM's.
    """
    if source.unit is not None:
        return source.unit
    if isinstance(source, ProbeSource):
        return field_unit(source.field)
    if isinstance(source, SurfaceSource):
        operation, _, field = source.column.partition("(")
        is_plain = "average" in operation.lower() or operation in {"min", "max"}
        return field_unit(field.rstrip(")")) if is_plain else None
    return None


def crossings(along: Array, values: Array) -> Array:
    """Return where values change their sign along a coordinate, both of shape (n,), in order."""
    order = np.argsort(along, kind="stable")
    at, value = along[order], values[order]
    before = np.flatnonzero(np.signbit(value[:-1]) != np.signbit(value[1:]))
    weight = value[before] / (value[before] - value[before + 1])
    return np.asarray(at[before] + weight * (at[before + 1] - at[before]))


def _crossing(source: CrossingSource, region: Region) -> float:
    """Return the first or last change of sign along a patch, points at one place averaged."""
    along = region.mesh.points[:, AXES[source.along]]
    values = scalar_of(region.arrays[source.field], source.component)
    places, group = np.unique(np.round(along, 12), return_inverse=True)
    means = np.bincount(group, values) / np.bincount(group)
    found = crossings(places, means)
    if not len(found):
        raise RecordError(
            f"{source.field} does not change its sign along the patch {source.patch}: it is "
            f"from {means.min():.3g} to {means.max():.3g}"
        )
    return float(found[0] if source.which == "first" else found[-1])


def _force(source: ForceSource, records: Records) -> Series:
    """Return the whole force: a total, or pressure and viscous part together (openfoam.org)."""
    record = records.find(source.function, FORCE_FILES)
    total = f"total_{source.component}"
    if total in record.columns:
        return Series(record.times, record.column(total))
    if "total" in record.columns[0]:
        return Series(record.times, record.column(1, source.component))
    parts = [record.column(number, source.component) for number in (1, 2)]
    return Series(record.times, parts[0] + parts[1])


def _probed(record: Record, source: ProbeSource, probe: int) -> Array:
    values = record.column(probe + 1, source.component)
    if np.abs(values).max() > NOT_FOUND:
        raise RecordError(
            f"probe {probe} of {source.function} lies outside the mesh; correct its place in "
            "system/controlDict"
        )
    return values
