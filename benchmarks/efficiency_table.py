"""The comparison as Markdown tables, for the terminal and for the docs."""

from collections.abc import Iterable, Sequence
from itertools import chain

import numpy as np

from benchmarks.comparison import Comparison
from benchmarks.efficiency_rows import Row, Savings, overall, rows_of
from benchmarks.scores import Interval, typical

BASELINES = ("random", "sobol")
"""What every strategy is compared with: chance, and spreading evenly without a model."""

_ERRORS = ("strategy", "first error", "last", "last q99", "ALC", "ALC of q99", "p", "p (Holm)")
_SAVINGS = (
    "DER runs",
    "DER at the end",
    "DER solver seconds",
    "DER all seconds",
    "last q99, ratio",
)


def report(comparisons: Sequence[Comparison]) -> str:
    """Return all tables: each problem against each baseline, and the means over problems."""
    scores = {
        baseline: [rows_of(comparison, baseline) for comparison in comparisons]
        for baseline in BASELINES
    }
    parts = []
    for place, comparison in enumerate(comparisons):
        parts.append(f"### {_title(comparison)}")
        for baseline, rows in scores.items():
            parts.append(f"Against {baseline}, {_ends(comparison, baseline)}:")
            parts.append(_table(_ERRORS, map(_errors, rows[place])))
            parts.append(
                _table(["strategy", *_SAVINGS, "wasted, ratio"], map(_costs, rows[place]))
            )
    for baseline, rows in scores.items():
        parts.append(f"Geometric means over {len(comparisons)} problems, against {baseline}:")
        means = overall(list(chain.from_iterable(rows)))
        lines = [[name, *_savings(each)] for name, each in means.items()]
        parts.append(_table(["strategy", *_SAVINGS], lines))
    return "\n\n".join(parts) + "\n"


def _title(comparison: Comparison) -> str:
    first, last = (int(comparison.asked[i]) for i in (0, -1))
    return f"{comparison.problem}: {first} to {last} runs, {comparison.seeds} paired seeds"


def _ends(comparison: Comparison, name: str) -> str:
    """Say where a strategy begins and ends."""
    first, *_, last = typical(comparison.runs[name].error)
    return f"whose error goes from {first:.4f} to {last:.4f}"


def _errors(row: Row) -> list[str]:
    numbers = [f"{number:.4f}" for number in (row.first, row.last, row.q99)]
    scores = [_text(each, "+.3f") for each in (row.alc, row.alc_q99)]
    return [row.strategy, *numbers, *scores, f"{row.p:.3g}", f"{row.corrected:.3g}"]


def _costs(row: Row) -> list[str]:
    return [row.strategy, *_savings(row.savings), _text(row.wasted, ".2f")]


def _savings(savings: Savings) -> list[str]:
    each = (
        savings.runs,
        savings.at_the_end,
        savings.solver_seconds,
        savings.all_seconds,
        savings.last_q99,
    )
    return [_text(interval, ".2f") for interval in each]


def _text(interval: Interval, form: str) -> str:
    if np.isnan(interval.value):
        return "–"
    if np.isnan(interval.low):
        return format(interval.value, form)
    return f"{interval.value:{form}} [{interval.low:{form}}, {interval.high:{form}}]"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table with its columns aligned."""
    table = [head, *rows]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    table.insert(1, ["-" * width for width in widths])
    lines = [
        " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        for line in table
    ]
    return "\n".join(f"| {line} |" for line in lines)
