"""What a log says, as it grows."""

from collections.abc import Sequence

import pytest

from solvers.openfoam.log import Log

STEP = """
Time = {time}

smoothSolver:  Solving for Ux, Initial residual = {ux}, Final residual = 1e-09, No Iterations 2
smoothSolver:  Solving for Uy, Initial residual = {uy}, Final residual = 1e-09, No Iterations 2
GAMG:  Solving for p, Initial residual = {p}, Final residual = 1e-09, No Iterations 3
GAMG:  Solving for p, Initial residual = 0.9, Final residual = 1e-09, No Iterations 3
time step continuity errors : sum local = 8e-09, global = 3e-19, cumulative = 8e-18
ExecutionTime = 0.13 s  ClockTime = 0 s
"""


def log_of(text: str) -> Log:
    log = Log()
    log.take(text.splitlines())
    return log


def steps(residuals: Sequence[tuple[str, str, str]]) -> str:
    return "".join(
        STEP.format(time=i, ux=ux, uy=uy, p=p) for i, (ux, uy, p) in enumerate(residuals, start=1)
    )


def test_residuals_are_those_of_the_last_iteration() -> None:
    log = log_of(steps([("0.1", "0.2", "0.3"), ("1e-3", "5e-3", "2e-3")]) + "\nEnd\n")
    assert log.residuals == {"U": 5e-3, "p": 2e-3}
    assert log.iterations == 2
    assert log.last_time == "2"
    assert log.ended


def test_while_it_grows_the_residuals_are_those_of_the_iteration_before() -> None:
    log = log_of(steps([("0.1", "0.2", "0.3")]))
    log.take(["Time = 2", "x: Solving for Ux, Initial residual = 7, Final residual = 1, No It"])
    assert log.residuals == {"U": 0.2, "p": 0.3}
    assert not log.ended


def test_openfoam_org_writes_times_with_a_unit() -> None:
    assert log_of("Time = 0.25s\nTime = 0.5s\n").last_time == "0.5"


@pytest.mark.parametrize("number", ["nan", "-nan", "inf"])
def test_a_residual_that_is_no_number_is_seen(number: str) -> None:
    log = log_of(steps([("0.1", number, "0.3")]))
    assert number in log.not_finite
    assert "Uy" in log.telling


def test_a_fatal_error_is_told_whole() -> None:
    text = """
--> FOAM FATAL IO ERROR:
Cannot find patchField entry for walls

file: 0/U.boundaryField from line 20 to line 30.

    From function x
    in file y.C at line 209.

FOAM exiting

after
"""
    log = log_of(text)
    assert log.fatal[:2] == ["FOAM FATAL IO ERROR:", "Cannot find patchField entry for walls"]
    assert log.fatal[-1] == "in file y.C at line 209."
    assert "after" not in log.telling


@pytest.mark.parametrize(
    ("line", "attribute"),
    [
        ("[0] #1  Foam::sigFpe::sigHandler(int) at ??:?", "signal"),
        ("terminate called after throwing an instance of 'std::bad_alloc'", "memory"),
        ("error writing file: No space left on device", "disk"),
    ],
)
def test_signs_of_trouble_are_kept(line: str, attribute: str) -> None:
    assert getattr(log_of(line), attribute) == line


def test_the_banner_is_no_sign_of_trouble() -> None:
    log = log_of("trapFpe: Floating point exception trapping enabled (FOAM_SIGFPE).")
    assert not log.signal


def test_failed_checks_of_a_mesh_are_listed() -> None:
    log = log_of(
        " ***High aspect ratio cells found, Max aspect ratio: 2000\n"
        " ***Error in face pyramids: 3 faces are incorrectly oriented.\n"
        "Failed 2 mesh checks.\nEnd\n"
    )
    assert len(log.failed_checks) == 2
    assert log.failed_checks[0].startswith("High aspect ratio")


def test_courant_numbers_are_kept() -> None:
    log = log_of("Courant Number mean: 0.2 max: 0.8\nCourant Number mean: 0.2 max: 0.9\n")
    assert list(log.courant) == [0.8, 0.9]


def test_steady_convergence_is_seen() -> None:
    assert log_of("SIMPLE solution converged in 243 iterations").converged_after == 243


def test_a_warning_is_a_line_without_its_place_in_the_code() -> None:
    log = log_of(
        "--> FOAM Warning : \n"
        "    From function void Foam::dlLibraryTable::open()\n"
        "    in file db/dlLibraryTable.C at line 105\n"
        "    could not load libNoSuch.so\n"
        "Time = 1\n"
    )
    assert log.warnings == ["could not load libNoSuch.so"]
    assert log.last_time == "1"
