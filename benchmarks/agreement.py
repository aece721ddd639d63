"""How far answers are from published values: pure functions of solutions."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import LinearNDInterpolator

from benchmarks.published import Profile, Value
from pools.solution import Solution

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table.

    Attributes:
        family: which campaign.
        case: the design point and the mesh, in words.
        quantity: what is compared.
        ours: what we got; of a profile the largest difference.
        published: what it is compared with, in words.
        percent: the difference, over the published value or the profile's largest magnitude.
        seconds: processor seconds of the solver.
    """

    family: str
    case: str
    quantity: str
    ours: float
    published: str
    percent: float
    seconds: float


def compare_value(solution: Solution, value: Value, case: str, seconds: float) -> Row:
    """Compare a quantity of interest with what was published."""
    ours = solution.quantities[value.quantity].value
    percent = 100 * (ours - value.value) / abs(value.value)
    published = f"{value.value:.4g} ({value.source}{', ' * bool(value.note)}{value.note})"
    return Row(value.family, case, value.quantity, ours, published, percent, seconds)


def compare_profile(solution: Solution, profile: Profile, case: str, seconds: float) -> Row:
    """Compare a field along a line; its largest difference is what counts."""
    differences = differences_along(solution, profile)
    largest = float(np.abs(differences).max())
    name = f"{profile.field} along {'xy'[profile.along]}, largest difference"
    percent = 100 * largest / max(map(abs, profile.values))
    published = f"{len(differences)} values ({profile.source})"
    return Row(profile.family, case, name, largest, published, percent, seconds)


def differences_along(solution: Solution, profile: Profile) -> Array:
    """Return ours less the published values, where those are to be trusted, shape (n,)."""
    kept = [i for i, at in enumerate(profile.positions) if at not in profile.doubtful]
    line = np.full((len(kept), 2), profile.at)
    line[:, profile.along] = np.array(profile.positions)[kept]
    values = solution.fields[profile.field].values
    ours = LinearNDInterpolator(solution.mesh.points[:, :2], values)(line)
    differences: Array = ours - np.array(profile.values)[kept]
    return differences


def described(parameters: Mapping[str, float], changes: Mapping[str, object]) -> str:
    """Say which design point was solved, and with which numerics if not the file's own."""
    return ", ".join(
        [f"{name} {value:g}" for name, value in parameters.items()]
        + [f"{name} {value}" for name, value in changes.items()]
    )


def table(rows: Iterable[Row]) -> str:
    """Return the rows as a table of Markdown."""
    head = ("family", "case", "quantity", "ours", "published", "error %", "CPU s")
    lines = [_line(head), _line(["---"] * len(head))]
    return "\n".join([*lines, *(_line(_cells(row)) for row in rows)])


def _cells(row: Row) -> Sequence[str]:
    ours, percent, seconds = f"{row.ours:.4g}", f"{row.percent:+.1f}", f"{row.seconds:.1f}"
    return (row.family, row.case, row.quantity, ours, row.published, percent, seconds)


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
