"""One curve of error against solver seconds: the loop with one level of a solver, or with two.

Paired runs have the same seed, test set, networks and candidates, and spend as many seconds on the
initial design and on each step: what is asked of the fine level in one may be several coarse
samples in the other.
"""

import math
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.curves import Curve, Point
from pools.errors import SolverError
from pools.sample import Sample
from pools.seeds import generator_for, seed_for
from pools.shard import write_shard
from pools.solution import Solution
from pools.space import ParameterSpace
from pools.training import TrainingPool
from solvers.build import build
from solvers.protocol import Solver
from solvers.resampled import on_mesh
from solvers.settings import SolverSettings
from strategies.budget import affordable
from strategies.hybrid import Hybrid
from strategies.level_choice import choose_levels
from strategies.level_settings import FineShareSettings
from strategies.metrology import evaluate
from surrogates.fit import fit
from surrogates.settings import EnsembleSettings
from surrogates.surrogate import EnsembleSurrogate

Array = NDArray[np.float64]

COARSE = "coarse"


@dataclass(frozen=True)
class Pair:
    """A solver and a cheaper level of it.

    Attributes:
        name: as on the command line.
        space: the parameters.
        fine: the solver whose answers are to be predicted.
        coarse: its cheaper level.
        cost: seconds of a coarse sample; a fine one takes 1.
        tests: samples of the test set.
    """

    name: str
    space: ParameterSpace
    fine: SolverSettings
    coarse: SolverSettings
    cost: float
    tests: int

    @cached_property
    def solvers(self) -> Mapping[str, Solver]:
        """The solver at each level, the finest first."""
        return {"": build(self.fine), COARSE: build(self.coarse)}

    def solve(self, rows: Array, level: str) -> list[Solution]:
        """Solve points, shape (k, d), at a level; what fails is left out."""
        solver = self.solvers[level]
        names, fingerprint = self.space.names, solver.fingerprint
        samples = [
            sample.asked_of(level, fingerprint)
            for sample in Sample.of_rows(rows, names, fingerprint)
        ]
        found = [self._answer(solver, sample) for sample in samples]
        return [solution for solution in found if solution is not None]

    def _answer(self, solver: Solver, sample: Sample) -> Solution | None:
        with tempfile.TemporaryDirectory() as directory:
            try:
                solution = solver.solve(sample, Path(directory))
            except SolverError:
                return None
        return on_mesh(solution, self.solvers[""].mesh(sample))


@dataclass(frozen=True, slots=True)
class Way:
    """How a budget of seconds is spent.

    Attributes:
        name: in tables.
        fine: samples of the initial design at the fine level.
        coarse: at the coarse level, these among them; 0 asks the fine level alone, ever.
        share: of the fine level in a step.
    """

    name: str
    fine: int
    coarse: int = 0
    share: FineShareSettings = field(default_factory=FineShareSettings)


@dataclass(frozen=True, slots=True)
class Effort:
    """How much a curve learns from: seconds and turns of a step, and who learns."""

    step_seconds: float
    steps: int
    surrogate: EnsembleSettings


@dataclass(slots=True)
class Spending:
    """What is labelled so far, in shards, and the seconds that it took."""

    directory: Path
    pair: Pair
    shards: list[Path] = field(default_factory=list)
    seconds: float = 0.0

    def spend(self, rows: Array, level: str) -> None:
        """Solve points at a level and put them into the pool; failed ones cost as much."""
        self.seconds += len(rows) * (self.pair.cost if level else 1.0)
        if solutions := self.pair.solve(rows, level):
            shard = self.directory / f"{len(self.shards)}.h5"
            write_shard(shard, solutions, self.pair.space.names)
            self.shards.append(shard)


def run_curve(pair: Pair, way: Way, effort: Effort, seed: int) -> Curve:
    """Run the loop to its end and return the error at every step."""
    with tempfile.TemporaryDirectory() as directory:
        points = tuple(_points(pair, way, effort, seed, Path(directory)))
    return Curve(pair.name, way.name, seed, points)


def _points(pair: Pair, way: Way, effort: Effort, seed: int, directory: Path) -> Iterator[Point]:
    spending, test = Spending(directory, pair), directory / "test.h5"
    tests = pair.space.sobol(pair.tests, seed_for(0, 0, "test set of the benchmark"))
    write_shard(test, pair.solve(tests, ""), pair.space.names)
    design = pair.space.sobol(max(way.fine, way.coarse), seed_for(seed, 0, "initial design"))
    spending.spend(design[: way.fine], "")
    spending.spend(design[: way.coarse], COARSE)
    for step in range(effort.steps + 1):
        with TrainingPool(spending.shards) as pool, TrainingPool([test]) as held_out:
            learner = _trained(pair, way, effort, pool, seed_for(seed, step, "train"))
            metrics = evaluate(learner, held_out)
            yield Point(len(pool), metrics.error, seconds=spending.seconds)
            if step < effort.steps:
                chosen = _chosen(pair, way, effort, pool, learner, (seed, step))
        if step < effort.steps:
            for level, rows in chosen.items():
                spending.spend(rows, level)


def _trained(
    pair: Pair, way: Way, effort: Effort, pool: TrainingPool, seed: int
) -> EnsembleSurrogate:
    cheaper = [COARSE] if way.coarse else []
    return fit(pool, pair.space, effort.surrogate, seed, cheaper=cheaper).surrogate


def _chosen(
    pair: Pair,
    way: Way,
    effort: Effort,
    pool: TrainingPool,
    learner: EnsembleSurrogate,
    turn: tuple[int, int],
) -> dict[str, Array]:
    """Return the points that a step's seconds pay for, by level, as a campaign chooses them."""
    seed, step = turn
    candidates = pair.space.sobol(1024, seed_for(seed, step, "candidates"))
    most = math.ceil(effort.step_seconds / (pair.cost if way.coarse else 1.0))
    rng = generator_for(seed, step, "query")
    picked = Hybrid()(candidates, pool.parameters, learner, most, rng)
    rows, below = candidates[picked.indices], np.zeros(most, np.intp)
    if way.coarse:
        share, may = way.share.at((step + 1) / effort.steps), np.ones((2, most), np.bool_)
        below = choose_levels(learner, rows, [1.0, pair.cost], share, may).below
    seconds = np.where(below > 0, pair.cost, 1.0)
    kept = slice(affordable(seconds, effort.step_seconds))
    return {"": rows[kept][below[kept] == 0], COARSE: rows[kept][below[kept] > 0]}
