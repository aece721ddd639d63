"""Levels of one solver: coarse and fine meshes, loose and tight numerics, with what they cost."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from pools.errors import UsageError
from pools.record import Setting
from solvers.changes import changed
from solvers.settings import SolverSettings


class Level(BaseModel):
    """One level: the solver with some of its settings changed; the last of them is as declared."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$")]
    """What the level is called in records and reports."""
    set: dict[str, Setting] = {}
    """Changes of the solver's settings, by `KEY.KEY` path below `solver`; none for the last
    level, which is the solver as it is declared."""
    seconds: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    """Solver seconds of a sample, of which only the ratio to the other levels' counts. Without
    it, what the samples took is measured; then what is chosen depends on the machine."""
    initial_samples: Annotated[int, Field(ge=1)] | None = None
    """Samples of the initial design at this level, which begins with the points of the level
    above it; as many as that has unless given. The last level has the campaign's own."""


def check_levels(levels: Sequence[Level], solver: SolverSettings) -> None:
    """See that levels are declared as they may be; none is right too.

    Raises:
        ValueError: they are not.
    """
    if not levels:
        return
    _check_names([level.name for level in levels])
    *cheaper, last = levels
    if last.set or last.initial_samples is not None:
        raise ValueError(
            f"the last level, {last.name}, is the solver as it is declared, but has set: "
            f"{last.set} and initial_samples: {last.initial_samples}; put its settings below "
            "`solver` and its count into the campaign's initial_samples, and leave both out here"
        )
    for level in cheaper:
        _check_changes(level, solver)
    _check_seconds(levels)


def nested_counts(levels: Sequence[Level], finest: int) -> list[int]:
    """Return the samples of the initial design at each level, the cheapest first.

    Raises:
        ValueError: a level has fewer than the one above it: the designs are nested.
    """
    counts = [finest]
    for level in reversed(levels[:-1]):
        count = counts[0] if level.initial_samples is None else level.initial_samples
        if count < counts[0]:
            raise ValueError(
                f"the level {level.name} has initial_samples: {count}, but the level above it has "
                f"{counts[0]}, which are among them; give it as many at least"
            )
        counts.insert(0, count)
    return counts


def _check_names(names: Sequence[str]) -> None:
    if len(names) == 1:
        raise ValueError(
            f"there is one level, {names[0]}; give two or more, the cheapest first, or none"
        )
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(
            f"the names {', '.join(names)} hold {', '.join(twice)} twice; give each level its own"
        )


def _check_changes(level: Level, solver: SolverSettings) -> None:
    if not level.set:
        raise ValueError(
            f"the level {level.name} changes nothing, so it is no cheaper than the last; give it "
            "set: {KEY: VALUE}, or leave it out"
        )
    try:
        changed(solver, level.set)
    except UsageError as error:
        raise ValueError(f"the level {level.name}: {error}") from None


def _check_seconds(levels: Sequence[Level]) -> None:
    declared = [level.seconds for level in levels if level.seconds is not None]
    if declared and (len(declared) < len(levels) or declared != sorted(declared)):
        told = ", ".join(f"{level.name}: {level.seconds}" for level in levels)
        raise ValueError(
            f"seconds are {told}; give them for all levels, the cheapest first, or for none"
        )
