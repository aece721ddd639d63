"""One curve: the loop with one strategy on one problem from one seed, without Prefect.

Everything but the picks is the same for all strategies of a seed: initial design, candidates, test
set, and the seeds of the networks. All trainings take equally many optimizer steps.
"""

import logging
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import cast

import numpy as np
from pydantic import TypeAdapter

from benchmarks.curves import Curve, Point
from benchmarks.problems import Problem
from pools.candidates import CandidatePool, DesignSequence
from pools.sample import Sample
from pools.seeds import generator_for, seed_for
from pools.shard import write_shard
from pools.space import ParameterSpace
from pools.training import TrainingPool
from strategies.metrology import evaluate
from strategies.picking import run_queries
from strategies.remaining import SOBOL
from strategies.settings import QuerySettings, build_queries
from surrogates.fit import fit
from surrogates.prediction import Learner
from surrogates.settings import EnsembleSettings


@dataclass(frozen=True, slots=True)
class Plan:
    """How much a curve learns from.

    Attributes:
        initial: samples of the initial design.
        per_step: samples that each step asks for.
        steps: how many steps; the surrogate is measured once more than that.
        surrogate: who learns, from scratch each step.
    """

    initial: int
    per_step: int
    steps: int
    surrogate: EnsembleSettings


@dataclass(frozen=True, slots=True, eq=False)
class Moment:
    """The loop at one step, as strategies see it: a `CampaignScope`."""

    learner: Learner
    training_pool: TrainingPool
    unlabeled_pool: CandidatePool
    test_pool: TrainingPool
    space: ParameterSpace
    design: DesignSequence
    rng: np.random.Generator
    active_learning_step_idx: int
    current_phase: str
    log_dir: Path
    run_id: str
    logger: logging.Logger


@dataclass(frozen=True, slots=True)
class Replay:
    """One run of the loop, in a directory of its own."""

    problem: Problem
    plan: Plan
    query: QuerySettings
    seed: int
    directory: Path

    def points(self) -> Iterator[Point]:
        """Yield the error at every step, the last one's labels included."""
        initial = self.problem.design(self.seed, 0).next(self.plan.initial)
        shards, used = [self._shard("initial", initial)], self.plan.initial
        test = self.directory / "test.h5"
        write_shard(test, self.problem.test_set(), self.problem.space.names)
        for step in range(self.plan.steps):
            with TrainingPool(shards) as pool, TrainingPool([test]) as test_pool:
                moment = self._moment(step, used, pool, test_pool)
                yield point_of(moment)
                picks = run_queries(build_queries([self.query], self.plan.per_step), moment)
            used += sum(pick.asked_by == SOBOL for pick in picks)
            shards.append(self._shard(f"step-{step}", [pick.sample for pick in picks]))
        with TrainingPool(shards) as pool, TrainingPool([test]) as test_pool:
            yield point_of(self._moment(self.plan.steps, used, pool, test_pool))

    def _moment(self, step: int, used: int, pool: TrainingPool, test: TrainingPool) -> Moment:
        """Train on what is labelled, and show it to the strategies."""
        space, train_seed = self.problem.space, seed_for(self.seed, step, "train")
        return Moment(
            learner=fit(pool, space, self.plan.surrogate, train_seed).surrogate,
            training_pool=pool,
            unlabeled_pool=self.problem.candidates(self.seed, step),
            test_pool=test,
            space=space,
            design=cast(DesignSequence, self.problem.design(self.seed, used)),  # or alike
            rng=generator_for(self.seed, step, "query"),
            active_learning_step_idx=step,
            current_phase="query",
            log_dir=self.directory,
            run_id=self.problem.name,
            logger=logging.getLogger("solverloop.benchmark"),
        )

    def _shard(self, name: str, samples: Sequence[Sample]) -> Path:
        """Write a shard with the answers to these samples."""
        shard = self.directory / f"{name}.h5"
        solutions = [self.problem.answer(sample) for sample in samples]
        write_shard(shard, solutions, self.problem.space.names)
        return shard


def run_curve(problem: Problem, plan: Plan, strategy: str, seed: int) -> Curve:
    """Run the loop to its end and return the error at every step.

    Args:
        problem: what is asked.
        plan: how much of it.
        strategy: `kind` of a query strategy, with its default settings.
        seed: of the initial design, the candidates, the draws and the networks.
    """
    query = query_of(strategy)
    with tempfile.TemporaryDirectory() as directory:
        replay = Replay(problem, plan, query, seed, Path(directory))
        return Curve(problem.name, strategy, seed, tuple(replay.points()))


def query_of(strategy: str) -> QuerySettings:
    """Return the default settings of the query strategy of this `kind`."""
    settings: QuerySettings = TypeAdapter(QuerySettings).validate_python({"kind": strategy})
    return settings


def point_of(moment: Moment) -> Point:
    """Measure the learner on the test set."""
    metrics = evaluate(moment.learner, moment.test_pool)
    return Point(
        labelled=len(moment.training_pool),
        error=metrics.error,
        field_error=_mean(field.relative_l2.mean for field in metrics.fields.values()),
        field_error_q95=_mean(field.relative_l2.q95 for field in metrics.fields.values()),
        quantity_error=_mean(quantity.nrmse for quantity in metrics.quantities.values()),
    )


def _mean(values: Iterable[float]) -> float | None:
    found = list(values)
    return fmean(found) if found else None
