"""One curve: the loop with one strategy on one problem from one seed, without Prefect.

Everything but the picks is the same for all strategies of a seed: initial design, candidates, test
set, and the seeds of the networks. All trainings take equally many optimizer steps.
"""

import logging
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean
from typing import cast

import numpy as np
from numpy.typing import NDArray

from benchmarks.curves import Curve, Point
from benchmarks.measures import Errors
from benchmarks.problems import Answer, Problem
from benchmarks.strategy_name import queries_of
from pools.candidates import CandidatePool, DesignSequence
from pools.errors import UsageError
from pools.outcomes import Outcomes
from pools.pick import Pick
from pools.seeds import generator_for, seed_for
from pools.shard import write_shard
from pools.space import ParameterSpace
from pools.training import TrainingPool
from strategies.foretold import Foretold
from strategies.metrology import evaluate
from strategies.picking import run_queries
from strategies.remaining import SOBOL
from strategies.settings import QuerySettings, build_queries
from surrogates.fit import fit
from surrogates.prediction import Learner
from surrogates.settings import EnsembleSettings

Array = NDArray[np.float64]


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
    outcomes: Outcomes
    space: ParameterSpace
    design: DesignSequence
    foretold: Sequence[Foretold]
    budget_left: float
    residual: Callable[[Array], Array]
    rng: np.random.Generator
    active_learning_step_idx: int
    current_phase: str
    log_dir: Path
    run_id: str
    logger: logging.Logger


@dataclass(frozen=True, slots=True, eq=False)
class Round:
    """Samples that were asked for together.

    Attributes:
        picks: the samples, and who asked.
        answers: what became of each.
        shard: the pool's shard with those that were solved; None where none was.
    """

    picks: Sequence[Pick]
    answers: Sequence[Answer]
    shard: Path | None


@dataclass(slots=True)
class Spent:
    """Processor seconds so far, this process's threads together."""

    training: float = 0.0
    selection: float = 0.0


@dataclass(frozen=True, slots=True)
class Replay:
    """One run of the loop, in a directory of its own."""

    problem: Problem
    plan: Plan
    queries: tuple[QuerySettings, ...]
    seed: int
    directory: Path

    def points(self) -> Iterator[Point]:
        """Yield the error at every step, the last one's labels included."""
        initial = self.problem.design(self.seed, 0).next(self.plan.initial)
        rounds = [self._ask("initial", [Pick(sample, SOBOL) for sample in initial])]
        write_shard(self._test_shard, self.problem.test_set(), self.problem.space.names)
        spent = Spent()
        for step in range(self.plan.steps):
            with self._moment(step, rounds, spent) as moment:
                yield point_of(moment, spent)
                picks = self._pick(moment, spent)
            rounds.append(self._ask(f"step-{step}", picks))
        with self._moment(self.plan.steps, rounds, spent) as moment:
            yield point_of(moment, spent)

    def _pick(self, moment: Moment, spent: Spent) -> list[Pick]:
        begin = time.process_time()
        picks = run_queries(build_queries(self.queries, self.plan.per_step), moment)
        spent.selection += time.process_time() - begin
        return picks

    @property
    def _test_shard(self) -> Path:
        return self.directory / "test.h5"

    @contextmanager
    def _moment(self, step: int, rounds: Sequence[Round], spent: Spent) -> Iterator[Moment]:
        """Train on what is labelled, and show it to the strategies."""
        space, train_seed = self.problem.space, seed_for(self.seed, step, "train")
        used = sum(pick.asked_by == SOBOL for each in rounds for pick in each.picks)
        shards = [each.shard for each in rounds if each.shard is not None]
        with TrainingPool(shards) as pool, TrainingPool([self._test_shard]) as test:
            begin = time.process_time()
            learner = fit(pool, space, self.plan.surrogate, train_seed).surrogate
            spent.training += time.process_time() - begin
            yield Moment(
                learner=learner,
                training_pool=pool,
                unlabeled_pool=self.problem.candidates(self.seed, step),
                test_pool=test,
                outcomes=outcomes_of(rounds, space),
                space=space,
                design=cast(DesignSequence, self.problem.design(self.seed, used)),  # or alike
                foretold=(),
                budget_left=1 - step / max(self.plan.steps, 1),
                residual=refuse_residual,
                rng=generator_for(self.seed, step, "query"),
                active_learning_step_idx=step,
                current_phase="query",
                log_dir=self.directory,
                run_id=self.problem.name,
                logger=logging.getLogger("solverloop.benchmark"),
            )

    def _ask(self, name: str, picks: Sequence[Pick]) -> Round:
        """Answer the picks, and write a shard with the solutions."""
        answers = [self.problem.answer(pick.sample) for pick in picks]
        solutions = [each.solution for each in answers if each.solution is not None]
        if not solutions:
            return Round(picks, answers, None)
        shard = self.directory / f"{name}.h5"
        write_shard(shard, solutions, self.problem.space.names)
        return Round(picks, answers, shard)


def refuse_residual(candidates: Array) -> Array:
    """Refuse: there is no solver here.

    Raises:
        UsageError: always.
    """
    raise UsageError(
        f"residuals at {len(candidates)} candidates need a solver, but a benchmark replays a "
        "table or a formula; compare strategies that ask for none"
    )


def outcomes_of(rounds: Sequence[Round], space: ParameterSpace) -> Outcomes:
    """Return how everything that was asked for ended."""
    tried = [
        (pick.sample.row(space.names), answer.solution is not None, answer.seconds)
        for each in rounds
        for pick, answer in zip(each.picks, each.answers, strict=True)
    ]
    return Outcomes.of(tried, space.d)


def run_curve(
    problem: Problem,
    plan: Plan,
    strategy: str,
    seed: int,
    queries: tuple[QuerySettings, ...] = (),
) -> Curve:
    """Run the loop to its end and return the error at every step.

    Args:
        problem: what is asked.
        plan: how much of it.
        strategy: name of the query strategies, as `benchmarks.strategy_name` reads it.
        seed: of the initial design, the candidates, the draws and the networks.
        queries: who asks, where the name does not say it.
    """
    with tempfile.TemporaryDirectory() as directory:
        asking = queries or queries_of(strategy)
        replay = Replay(problem, plan, asking, seed, Path(directory))
        return Curve(problem.name, strategy, seed, tuple(replay.points()))


def point_of(moment: Moment, spent: Spent) -> Point:
    """Measure the learner on the test set."""
    metrics, tried = evaluate(moment.learner, moment.test_pool), moment.outcomes
    errors = Errors.of(moment.learner, moment.test_pool)
    return Point(
        labelled=len(moment.training_pool),
        asked=len(tried),
        seconds=float(tried.seconds.sum()),
        wasted=float(tried.seconds[~tried.solved].sum()),
        error=metrics.error,
        field_error=_mean(field.relative_l2.mean for field in metrics.fields.values()),
        field_error_q95=_mean(field.relative_l2.q95 for field in metrics.fields.values()),
        quantity_error=_mean(quantity.nrmse for quantity in metrics.quantities.values()),
        **asdict(errors),
        outputs=metrics.errors,
        train_seconds=spent.training,
        select_seconds=spent.selection,
    )


def _mean(values: Iterable[float]) -> float | None:
    found = list(values)
    return fmean(found) if found else None
