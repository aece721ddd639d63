"""OpenFOAM's labels against published values: one table, by real runs.

    python -m benchmarks.openfoam_validation [FAMILY...] [--level coarse|fine]

Each family is solved as `examples/FAMILY/FAMILY.yaml` declares it; `fine` changes the numerics as
`FINE` says. What fails is a row of its own, with the reason.
"""

import argparse
import resource
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.agreement import Row, compare_profile, compare_value, described, table
from benchmarks.published import PROFILES, VALUES, Profile, Value
from phases.config import load
from pools.errors import SolverError
from pools.sample import Sample
from solvers.build import build

ROOT = Path(__file__).parents[1]

FINE: Mapping[str, Mapping[str, int | float | str]] = {
    "cavity": {"cells": 129, "iterations": 4000},
    "step": {"cells": 32, "iterations": 6000},
    "cylinder": {"cells": 96, "time_step": 0.04},
    "obstacle": {"level": 2, "iterations": 4000},
    "aerofoil": {"level": 1.5, "iterations": 1500},
}
"""Numerics of the level `fine`, by family."""


@dataclass(frozen=True, slots=True)
class Case:
    """One design point, solved once, and all that was published of it."""

    family: str
    parameters: Mapping[str, float]
    published: tuple[Value | Profile, ...]


def cases(families: frozenset[str]) -> list[Case]:
    """Return the design points of these families, each with what was published of it."""
    found: dict[tuple[str, tuple[tuple[str, float], ...]], list[Value | Profile]] = {}
    for published in (*PROFILES, *VALUES):
        point = (published.family, tuple(published.parameters.items()))
        found.setdefault(point, []).append(published)
    return [
        Case(family, dict(parameters), tuple(published))
        for (family, parameters), published in found.items()
        if family in families
    ]


def rows_of(case: Case, level: str, directory: Path) -> Iterator[Row]:
    """Solve a design point and compare it with what was published of it."""
    changes = FINE.get(case.family, {}) if level == "fine" else {}
    settings = [f"solver.numerics.{name}={value}" for name, value in changes.items()]
    config = load(ROOT / "examples" / case.family / f"{case.family}.yaml", settings)
    solver = build(config.solver)
    words, before = described(case.parameters, changes), _processor_seconds()
    try:
        solution = solver.solve(Sample.of(case.parameters, solver.fingerprint), directory)
    except SolverError as error:
        yield Row(case.family, words, str(error), float("nan"), "", float("nan"), 0.0)
        return
    seconds = _processor_seconds() - before
    for published in case.published:
        match published:
            case Value():
                yield compare_value(solution, published, words, seconds)
            case Profile():
                yield compare_profile(solution, published, words, seconds)


def _processor_seconds() -> float:
    """Return what the programs of the cases took so far: unlike the wall's, ours alone."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def main() -> None:
    """Print the table."""
    known = list(dict.fromkeys(p.family for p in (*PROFILES, *VALUES)))
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("families", nargs="*", help=f"of {', '.join(known)}; all by default")
    parser.add_argument("--level", choices=("coarse", "fine"), default="coarse")
    options = parser.parse_args()
    if unknown := set(options.families) - set(known):
        parser.error(f"no published values of {', '.join(sorted(unknown))}; known: {known}")
    rows = []
    for case in cases(frozenset(options.families or known)):
        with tempfile.TemporaryDirectory() as directory:
            rows += rows_of(case, options.level, Path(directory))
    print(table(rows))


if __name__ == "__main__":
    main()
