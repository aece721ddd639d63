"""What kind of failure a command's end is: never from the exit code alone.

Debian's v1912 was seen to end with code 0 after divergence to 1e126, without convergence, with
four failed mesh checks, and without having written a field.
"""

import re
from dataclasses import dataclass

from pools.outcome import Outcome
from solvers.openfoam.settings import OpenFOAMSettings
from solvers.openfoam.stage import Ended

_KILLED = frozenset({"SIGKILL", "SIGTERM", "SIGINT", "SIGHUP"})
_MESH_DICTIONARY = re.compile(r"file: \S*Mesh\w*Dict")  # a mesher's own: what it cannot mesh
_MANY = 300  # characters of a fatal error that a reason quotes


@dataclass(frozen=True, slots=True)
class Failure:
    """A command that did not do what it was for: the outcome, and why in words."""

    outcome: Outcome
    reason: str


def failure_of(ended: Ended, settings: OpenFOAMSettings) -> Failure | None:
    """Say how a command failed; None where it did not."""
    return _broken(ended) or _stopped(ended) or _crashed(ended) or _mesh(ended, settings)


def _broken(ended: Ended) -> Failure | None:
    """A fault of the machine: trying again unchanged may help."""
    log = ended.log
    if log.disk and ended.exit_code != 0:
        return Failure(Outcome.INFRASTRUCTURE, f"{ended.name}: the disk is full: {log.disk}")
    if log.memory and ended.exit_code != 0:
        peak = ended.peak_memory / 2**20
        return Failure(
            Outcome.INFRASTRUCTURE,
            f"{ended.name} ran out of memory ({log.memory}; peak {peak:.0f} MiB); give it more, "
            "lower label.workers, or take a coarser mesh",
        )
    if ended.signal in _KILLED and not ended.stopped:
        return Failure(
            Outcome.INFRASTRUCTURE, f"{ended.name} was killed from outside ({ended.signal})"
        )
    return None


def _stopped(ended: Ended) -> Failure | None:
    """A command that was ended here, because going on was in vain."""
    if not ended.stopped:
        return None
    outcome = Outcome.DIVERGED if ended.log.not_finite else Outcome.TIMEOUT
    return Failure(outcome, f"{ended.name} was stopped: {ended.stopped}")


def _crashed(ended: Ended) -> Failure | None:
    log = ended.log
    if log.not_finite or (log.signal and "Fpe" in log.signal) or ended.signal == "SIGFPE":
        told = f" ({log.not_finite})" if log.not_finite else " (sigFpe)"
        return _numerical(
            ended, f"{ended.name} met a number that is not finite{told}{_when(ended)}"
        )
    if log.fatal:
        return _numerical(ended, f"{ended.name}: {_quoted(log.fatal_message)}", fatal=True)
    if ended.exit_code == 0:
        return None
    by = f"signal {ended.signal}" if ended.signal else f"code {ended.exit_code}"
    return _numerical(ended, f"{ended.name} ended with {by}: {_quoted(log.telling)}", fatal=True)


def _when(ended: Ended) -> str:
    """Say how far a solver came, and how it stood then."""
    if not ended.log.iterations:
        return ""
    residuals = ", ".join(f"{n} {value:.2g}" for n, value in ended.log.residuals.items())
    return f" in iteration {ended.log.iterations}" + (
        f", at residuals {residuals}" * bool(residuals)
    )


def _numerical(ended: Ended, reason: str, *, fatal: bool = False) -> Failure:
    """Tell a bad mesh, a bad case and a diverged run apart, by what the command was for."""
    told = " ".join(ended.log.fatal)
    is_dictionary = "FATAL IO ERROR" in told and not _MESH_DICTIONARY.search(told)
    if ended.role == "mesh" and not is_dictionary:
        return Failure(Outcome.MESH, reason)
    return Failure(Outcome.BAD_OUTPUT if fatal else Outcome.DIVERGED, reason)


def _mesh(ended: Ended, settings: OpenFOAMSettings) -> Failure | None:
    """Read what checkMesh found; it ends with code 0 whatever that is."""
    bad = [
        check
        for check in ended.log.failed_checks
        if not any(allowed in check.lower() for allowed in settings.allowed_mesh_checks)
    ]
    if ended.role != "mesh" or not bad:
        return None
    return Failure(
        Outcome.MESH,
        f"{ended.name} found {len(bad)} faults: {_quoted('; '.join(bad))}; mend the mesh, or name "
        "the check in solver.allowed_mesh_checks",
    )


def _quoted(text: str) -> str:
    one = " ".join(text.split())
    return one if len(one) <= _MANY else f"{one[:_MANY]}..."
