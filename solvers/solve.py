"""One solve, in the process that a supervisor forked for it: a session of its own.

Its output goes to its directory, its result to disk. Every failure becomes an outcome and a reason
in words.
"""

import ctypes
import os
import signal
import sys
import time
import traceback
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import NoReturn

import numpy as np

from pools.errors import CampaignError, IntegrityError, SolverError, UsageError
from pools.outcome import Outcome
from pools.record import SampleDirectory
from pools.solution import Solution
from pools.vtkhdf import read_solution, write_solution
from solvers import memory
from solvers.build import build
from solvers.changes import changed
from solvers.fault import fault
from solvers.lease import HeldError, Lease
from solvers.loosened import loosened
from solvers.processes import tie_to_parent
from solvers.protocol import Solver, residual_solver
from solvers.recovery import Try
from solvers.request import Request
from solvers.settings import SolverSettings
from solvers.verdict import Verdict

RESIDUAL = "residual"
"""Key of a residual in the evidence of a verdict."""

HELD = os.EX_TEMPFAIL
"""Exit code of a solve that found another one in its directory."""


def solve_and_exit(
    solver: Solver, settings: SolverSettings, request: Request, supervisor: int
) -> NoReturn:
    """Be the solve, from the fork to the exit."""
    exit_code = 1
    try:
        _detach(supervisor)
        Lease.take(request.directory)
        _redirect(request.directory / "log.txt")
        started = time.monotonic()
        verdict = answer(solver, settings, request)
        replace(verdict, wall_seconds=time.monotonic() - started).write(request.directory)
        exit_code = 0
    except HeldError:
        exit_code = HELD
    except OSError as error:  # a full disk, before there is a log
        sys.stderr.write(f"cannot write {request.directory}: {error.strerror}\n")
    except BaseException:  # noqa: BLE001 - a fork must never return into the supervisor
        traceback.print_exc()
    finally:
        flush()
        os._exit(exit_code)


def answer(solver: Solver, settings: SolverSettings, request: Request) -> Verdict:
    """Solve and write the solution.

    Args:
        solver: as declared.
        settings: those it was built from.
        request: what is asked.
    """
    try:
        with memory.limited(request.memory_gib):
            return _answer(solver, settings, request)
    except SolverError as error:
        grade = str(error.evidence.get("grade", ""))
        return Verdict(error.outcome, error.reason, grade, error.evidence)
    except MemoryError as error:
        traceback.print_exc()
        what = f"{type(error).__name__} {error}".strip()
        reason = memory.explain(what, memory.peak(), request.memory_gib)
        return Verdict(Outcome.INFRASTRUCTURE, reason)
    except (OSError, CampaignError) as error:  # a full disk, told by the system or by us
        traceback.print_exc()
        return Verdict(Outcome.INFRASTRUCTURE, f"{type(error).__name__}: {error}")
    except Exception as error:  # noqa: BLE001 - whatever a user's solver raises is an outcome
        traceback.print_exc()
        reason = f"the solver raised {type(error).__name__}: {error}"
        return Verdict(Outcome.BAD_OUTPUT, reason)


def _answer(solver: Solver, settings: SolverSettings, request: Request) -> Verdict:
    sample, tried = request.sample, request.tried
    if request.fields is not None:
        return _residual(solver, request, request.fields)
    declared = changed(settings, request.level)
    is_other = request.level or tried.changes
    asked = build(changed(declared, tried.changes)) if is_other else solver
    if request.start is None:
        solution = asked.solve(sample, request.directory)
    else:
        solution = _solve_from(asked, request, request.start)
    if bad := fault(solver, sample, solution):
        return Verdict(Outcome.BAD_OUTPUT, bad)
    if request.level:
        solution = _on_finest(solver, solution, request.directory)
    if bad := _other_mesh(solver, solution, tried):
        return Verdict(Outcome.BAD_OUTPUT, bad)
    ordered = solution.in_order(solver.quantities, solver.fields)  # as every other answer
    noted = _noted(ordered, declared, tried)
    write_solution(request.directory / "solution.vtkhdf", noted)
    return Verdict(Outcome.OK, noted.remark, noted.grade, noted.evidence)


def _on_finest(solver: Solver, solution: Solution, directory: Path) -> Solution:
    """Put the fields of a cheaper level on the mesh of the finest.

    They stay where they are if only a solve tells that mesh; the pool takes as many points then.

    Raises:
        SolverError: the two meshes are of different domains.
    """
    from solvers.resampled import on_mesh

    try:
        mesh = solver.mesh(solution.sample)
    except UsageError:
        return solution
    try:
        return on_mesh(solution, mesh)
    except ValueError as error:
        raise SolverError(Outcome.MESH, str(error), directory) from error


def _residual(solver: Solver, request: Request, fields: Path) -> Verdict:
    """Evaluate how far predicted fields are from the solution."""
    predicted = np.load(fields, allow_pickle=False)
    value = residual_solver(solver).residual(request.sample, predicted, request.directory)
    return Verdict(Outcome.OK, evidence={RESIDUAL: value})


def _solve_from(solver: Solver, request: Request, start: Path) -> Solution:
    """Solve from another sample's solution; one that does not fit is a failure like others."""
    try:
        return solver.solve(request.sample, request.directory, initial=read_start(start))
    except (UsageError, IntegrityError) as error:
        reason = f"cannot start from the solution in {start}: {error}"
        raise SolverError(Outcome.MESH, reason, request.directory) from error


def read_start(directory: Path) -> Solution:
    """Read a solved sample's solution to start from.

    Its `provenance["case"]` becomes the directory of the attempt that it came from, for solvers
    that want more of it than the solution; that may be gone, or hold only its records.
    """
    place = SampleDirectory(directory)
    solution, record = read_solution(place.solution), place.read()
    solved = [a.directory for a in record.attempts if a.outcome is Outcome.OK] if record else []
    case = {"case": str(directory / solved[-1])} if solved else {}
    return replace(solution, provenance={**solution.provenance, **case})


def _other_mesh(solver: Solver, solution: Solution, tried: Try) -> str:
    """Say where a changed solver answered on another mesh, which no pool takes."""
    if not tried.changes:
        return ""
    try:
        expected = len(solver.mesh(solution.sample).points)
    except Exception:  # noqa: BLE001 - a solver that cannot tell is judged when the pool grows
        return ""
    if (points := len(solution.mesh.points)) == expected:
        return ""
    return (
        f"the changes {dict(tried.changes)} led to {points} mesh points, but the other samples "
        f"have {expected}; leave the mesh as it is, or resample all to one grid"
    )


def _noted(solution: Solution, settings: SolverSettings, tried: Try) -> Solution:
    """Write into a solution how it was recovered, and why it may be worse than the others."""
    if tried == Try():
        return solution
    low = f"of low fidelity: solved with the rung {tried.rung!r}, {dict(tried.changes)}"
    remarks = (
        solution.remark,
        loosened(settings, tried.changes),
        low if tried.low_fidelity else "",
    )
    return replace(
        solution,
        provenance={**solution.provenance, "recovery": asdict(tried)},
        grade="marginal" if tried.low_fidelity else solution.grade,
        remark="; ".join(remark for remark in remarks if remark),
    )


def _detach(supervisor: int) -> None:
    """Lead a session of its own that dies with the supervisor."""
    os.setsid()
    tie_to_parent(signal.SIGKILL, supervisor)


def _redirect(log: Path) -> None:
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(output, 1)
    os.dup2(output, 2)


def flush() -> None:
    """Write out what Python and C libraries have buffered; `os._exit` does not."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    ctypes.CDLL(None).fflush(None)
