"""Which lines of a log tell why a run failed."""

from pathlib import Path

import pytest

from phases.telling import read_logs, telling_lines

FATAL = """\
Create time

--> FOAM FATAL IO ERROR:
keyword value is undefined in dictionary "/case/0/U/boundaryField/inlet"

file: /case/0/U/boundaryField/inlet from line 25 to line 26.

    From function const entry& lookupEntry
    in file db/dictionary/dictionary.C at line 608.

FOAM exiting

what comes after
"""
FPE = """\
trapFpe: Floating point exception trapping enabled (FOAM_SIGFPE).
Time = 12
smoothSolver:  Solving for Ux, Initial residual = 0.9, Final residual = nan, No Iterations 1000
time step continuity errors : sum local = inf, global = nan
#0  Foam::error::printStack(Foam::Ostream&) at ??:?
#1  Foam::sigFpe::sigHandler(int) at ??:?
Floating point exception
"""
RAISED = """\
residual 1e9
Traceback (most recent call last):
  File "solver.py", line 3, in solve
    raise ValueError("no")
ValueError: the matrix is singular
"""


@pytest.mark.parametrize(
    ("log", "expected"),
    [
        (
            FATAL,
            [
                "FOAM FATAL IO ERROR:",
                'keyword value is undefined in dictionary "/case/0/U/boundaryField/inlet"',
                "file: /case/0/U/boundaryField/inlet from line 25 to line 26.",
            ],
        ),
        (
            FPE,
            [
                "smoothSolver:  Solving for Ux, Initial residual = 0.9, Final residual = nan, "
                "No Iterations 1000",
                "#1  Foam::sigFpe::sigHandler(int) at ??:?",
            ],
        ),
        (RAISED, ["ValueError: the matrix is singular"]),
        ("a tenant in the finance department\n", ["a tenant in the finance department"]),
        ("\n".join(f"Time = {i}" for i in range(40)), [f"Time = {i}" for i in range(28, 40)]),
        ("", []),
    ],
)
def test_telling_lines(log: str, expected: list[str]) -> None:
    assert telling_lines(log) == expected


def test_a_block_without_an_end_is_cut() -> None:
    lines = ["--> FOAM FATAL ERROR:", *(f"line {i}" for i in range(100))]
    assert len(telling_lines("\n".join(lines))) == 12


def test_only_the_end_of_a_large_log_is_read(tmp_path: Path) -> None:
    (tmp_path / "log.simpleFoam").write_bytes(b"x" * (1 << 20) + b"\nthe end\xff\n")
    (tmp_path / "system").mkdir()
    content = read_logs(tmp_path)
    assert len(content) < 1 << 19
    assert "the end" in content
    assert read_logs(tmp_path / "gone") == ""
