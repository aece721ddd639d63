"""Which changes of a try let worse answers in than the campaign file does."""

from collections.abc import Iterator, Mapping

from pools.record import Setting
from solvers.changes import changed
from solvers.openfoam.settings import OpenFOAMSettings
from solvers.settings import SolverSettings

_STRICT_IF_LARGER = ("min_iterations", "drift.window")


def loosened(settings: SolverSettings, changes: Mapping[str, Setting]) -> str:
    """Say which limits of the convergence gate are looser with changes; empty where none is."""
    both = (settings, changed(settings, changes))
    gates = [s.convergence.model_dump() for s in both if isinstance(s, OpenFOAMSettings)]
    if not gates:
        return ""
    declared, asked = (dict(_limits(gate)) for gate in gates)
    looser = [
        f"convergence.{key}={value} (declared {declared[key]})"
        for key, value in asked.items()
        if _is_looser(key, declared[key], value)
    ]
    return f"with a looser gate than the others: {', '.join(looser)}" if looser else ""


def _limits(gate: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, object]]:
    """Yield the gate's limits by their paths."""
    for name, value in gate.items():
        if isinstance(value, Mapping):
            yield from _limits(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _is_looser(key: str, declared: object, asked: object) -> bool:
    match declared, asked:
        case int() | float(), int() | float():
            return asked < declared if key in _STRICT_IF_LARGER else asked > declared
        case _:
            return (declared, asked) == ("converged", "marginal")
