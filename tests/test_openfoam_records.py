"""Records of function objects, in the formats of several versions, and what is made of them."""

from pathlib import Path

import numpy as np
import pytest

from solvers.openfoam.measures import crossing_frequency, drift, measure
from solvers.openfoam.quantities import crossings, series_of, unit_of, value_of
from solvers.openfoam.records import RecordError, Records, read_record
from solvers.openfoam.sources import (
    CoefficientSource,
    ForceSource,
    FunctionSource,
    ProbeSource,
    QuantitySource,
    SurfaceSource,
)

COEFFICIENTS = """# Force coefficients
# dragDir     : (1.0e+00 0.0e+00 0.0e+00)
#
# Time        \tCd            \tCs            \tCl(f)
1             \t2.5e+00\t-1.8e-16\t6.5e+00
2             \t2.0e+00\t-1.8e-16\t6.0e+00
"""
COM_FORCES = """# Force
# CofR : (0 0 0)
#
# Time \t(total_x total_y total_z)\t(pressure_x pressure_y pressure_z)\t(viscous_x viscous_y)
1 \t(8.0 2.0 0.0)\t(7.0 1.5 0.0)\t(1.0 0.5 0.0)
"""
NEW_COM_FORCES = """# Force
# CofR : (0 0 0)
# Time          \ttotal_x       \ttotal_y       \ttotal_z       \tpressure_x
1 \t8.0 \t2.0 \t0.0 \t7.0
"""
ORG_FORCES = """# Forces
# CofR : (0 0 0)
# Time forces(pressure viscous) moment(pressure viscous)
1 \t((7.0 1.5 0.0) (1.0 0.5 0.0)) ((0 0 1) (0 0 2))
"""
PROBES = """# Probe 0 (0.5 0.2 0.5)
# Probe 1 (9 9 9)  # Not Found
#       Probe             0             1
#        Time
            1             (1 2 3)             (-1e+300 -1e+300 -1e+300)
            2             (3 4 5)             (-1e+300 -1e+300 -1e+300)
"""
SURFACE = """# Region type : patch inlet
# Faces       : 134
# Time        \tareaAverage(p)\tareaAverage(U)
1             \t1.8e+00\t(2.5e+01 3.6e+00 -1.0e-17)
2             \t2.0e+00\t(2.6e+01 3.6e+00 -1.0e-17)
"""


@pytest.fixture
def case(tmp_path: Path) -> Path:
    files = {
        "coefficients/0/coefficient.dat": COEFFICIENTS,
        "forces/0/force.dat": COM_FORCES,
        "newForces/0/force.dat": NEW_COM_FORCES,
        "orgForces/0/forces.dat": ORG_FORCES,
        "probes/0/U": PROBES,
        "probes/0/p": "# Time\n1 5\n2 6\n",
        "ends/0/p": "# Time\n1 5 2\n2 6 4\n",
        "inlet/0/surfaceFieldValue.dat": SURFACE,
        "restarted/0/x.dat": "# Time\ty\n1\t1\n2\t2\n",
        "restarted/10/x.dat": "# Time\ty\n11\t3\n",
        "empty/0/x.dat": "# Time\ty\n",
        "words/0/x.dat": "1 mag(U) 3\n",
    }
    for name, text in files.items():
        file = tmp_path / "postProcessing" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return tmp_path


def never(*_: str) -> None:
    raise AssertionError("no patch is read")


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (CoefficientSource(kind="coefficient", function="coefficients"), 2.0),
        (CoefficientSource(kind="coefficient", function="coefficients", column="Cl(f)"), 6.0),
        (ForceSource(kind="force", function="forces", component="y"), 2.0),
        (ForceSource(kind="force", function="newForces", component="y"), 2.0),
        (ForceSource(kind="force", function="orgForces", component="y"), 2.0),
        (ForceSource(kind="force", function="forces", scale="3*a"), 48.0),
        (ProbeSource(kind="probe", function="probes", field="U", component="z"), 5.0),
        (ProbeSource(kind="probe", function="probes", field="p"), 6.0),
        (ProbeSource(kind="probe", function="ends", field="p", minus=1), 2.0),
        (SurfaceSource(kind="surface", function="inlet", column="areaAverage(p)"), 2.0),
        (
            SurfaceSource(
                kind="surface", function="inlet", column="areaAverage(U)", component="x"
            ),
            26.0,
        ),
        (FunctionSource(kind="function", function="restarted", column="y", unit="m"), 3.0),
        (FunctionSource(kind="function", function="restarted", column=1, unit="m"), 3.0),
    ],
)
def test_quantities_are_read(case: Path, source: QuantitySource, expected: float) -> None:
    assert value_of(source, Records(case), never, {"a": 2.0}) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (CoefficientSource(kind="coefficient", function="fc"), "wrote nothing; those that wrote"),
        (
            CoefficientSource(kind="coefficient", function="coefficients", column="Cm"),
            "has no column 'Cm'; it has Cd, Cs, Cl(f)",
        ),
        (CoefficientSource(kind="coefficient", function="forces"), "wrote force.dat, but not"),
        (
            ProbeSource(kind="probe", function="probes", field="U", component="x", probe=1),
            "lies outside the mesh",
        ),
        (ProbeSource(kind="probe", function="probes", field="U"), "is a vector"),
        (ProbeSource(kind="probe", function="probes", field="p", probe=7), "columns 0 to 1"),
        (FunctionSource(kind="function", function="empty", column=1, unit="m"), "no rows"),
        (FunctionSource(kind="function", function="words", column=1, unit="m"), "not a table"),
        (FunctionSource(kind="function", function="probes", column=1, unit="m"), "name one with"),
    ],
)
def test_what_is_missing_is_said(case: Path, source: QuantitySource, words: str) -> None:
    with pytest.raises(RecordError) as caught:
        series_of(source, Records(case))  # type: ignore[arg-type]
    assert words in str(caught.value)


def test_a_restarted_run_is_one_record(case: Path) -> None:
    record = Records(case).find("restarted")
    assert record.times.tolist() == [1, 2, 11]
    assert read_record(case / "postProcessing/restarted/0/x.dat").columns == ("y",)


def test_units_come_from_the_field_where_they_can() -> None:
    units = {"p": "m2/s2", "U": "m/s"}.get
    probe = ProbeSource(kind="probe", function="f", field="U", component="x")
    mean = SurfaceSource(kind="surface", function="f", column="areaAverage(p)")
    flow = SurfaceSource(kind="surface", function="f", column="sum(phi)")
    assert unit_of(probe, units) == "m/s"
    assert unit_of(mean, units) == "m2/s2"
    assert unit_of(flow, units) is None


def test_measures_of_a_sine() -> None:
    times = np.linspace(0, 10, 4001) ** 1.2  # steps that differ
    values = 3 + 2 * np.sin(2 * np.pi * 0.7 * times)
    assert measure(times, values, "mean", 1.0) == pytest.approx(3, abs=0.1)
    assert measure(times, values, "amplitude", 0.5) == pytest.approx(2, rel=1e-3)
    assert measure(times, values, "rms", 0.5) == pytest.approx(np.sqrt(2), rel=0.03)
    assert measure(times, values, "frequency", 0.5) == pytest.approx(0.7, rel=1e-3)
    assert measure(times, values, "max", 0.5) == pytest.approx(5, rel=1e-3)
    assert measure(times, values, "min", 0.5) == pytest.approx(1, rel=1e-3)
    assert measure(times, values, "last", 0.5) == values[-1]


def test_a_record_that_does_not_swing_has_no_frequency() -> None:
    assert crossing_frequency(np.arange(9.0), np.arange(9.0)) == 0.0


def test_one_row_is_a_record() -> None:
    one = np.array([1.0])
    for statistic in ("last", "mean", "min", "max"):
        assert measure(one, one, statistic, 0.5) == 1.0  # type: ignore[arg-type]


def test_drift_is_the_range_of_the_last_window() -> None:
    times = np.arange(101.0)
    assert drift(times, np.where(times < 80, 9.0, 2.0), 0.2) == 0.0
    assert drift(times, 10 + times / 100, 0.2) == pytest.approx(0.2 / 10.9)


def test_changes_of_sign_are_found_in_order() -> None:
    found = crossings(np.array([2.0, 0.0, 1.0, 3.0]), np.array([-1.0, 1.0, 1.0, 3.0]))
    assert found == pytest.approx([1.5, 2.25])
