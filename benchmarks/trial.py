"""What a strategy does, as a digest: curves of changed code are never taken for those of before.

A digest of source files would change with every comment, and with every strategy that is added. A
short run changes with what it leads to: picks, failures, errors.
"""

import hashlib
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.curves import Point
from benchmarks.problems import SolvedProblem
from benchmarks.replay import Plan, Replay
from strategies.settings import QuerySettings
from surrogates.settings import EnsembleSettings, Schedule

_SURROGATE = EnsembleSettings(
    members=2,
    width=16,
    depth=2,
    initial=Schedule(kind="cosine", start=1e-2, end=1e-4, length=60),
)
_PLAN = Plan(initial=24, per_step=8, steps=2, surrogate=_SURROGATE)
_PROBLEMS = ("cliff", "shock")  # one with failures and unequal cost, one with a field


def digest_of(queries: Sequence[QuerySettings]) -> str:
    """Return a digest of two short runs; it depends on the machine's arithmetic a little."""
    told = [_told(point) for name in _PROBLEMS for point in _points(name, tuple(queries))]
    return hashlib.sha256("\n".join(told).encode()).hexdigest()[:12]


def _points(name: str, queries: tuple[QuerySettings, ...]) -> list[Point]:
    problem = SolvedProblem.of_closed_form(name, test_samples=16, pool=128)
    with tempfile.TemporaryDirectory() as directory:
        return list(Replay(problem, _PLAN, queries, 0, Path(directory)).points())


def _told(point: Point) -> str:
    return f"{point.labelled} {point.asked} {point.seconds:.6g} {point.error:.3g}"
