"""What a strategy sees after `attach`: the state of a campaign at one step."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Never, Protocol

import numpy as np
from numpy.typing import NDArray

from phases.asked import tried_picks
from phases.campaign import Campaign
from phases.campaign_label import solver_label
from phases.campaign_queues import DirectoryQueue, to_append, to_label
from phases.design import INITIAL, design_sequence
from phases.outcomes import outcomes
from phases.progress import LOGGER
from phases.residual import PredictedResidual
from phases.spent import budget_left_at
from phases.step_file import read_step_file
from phases.unbiased import foretold_until
from pools.candidates import CandidatePool, DesignSequence
from pools.errors import UsageError
from pools.outcomes import Outcomes
from pools.pick import Pick
from pools.seeds import generator_for, seed_for
from pools.space import ParameterSpace
from pools.training import TrainingPool
from strategies.foretold import Foretold
from strategies.label import SolverLabel
from strategies.metrology import FixedTestSet
from strategies.needed import Attachable, Querying
from strategies.remaining import SOBOL, without
from strategies.settings import build_queries
from surrogates.checkpoint import load
from surrogates.prediction import LevelLearner

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Scope:
    """One campaign at one step, as its strategies may read it.

    Attributes:
        learner: the surrogate that this step trained.
        training_pool: the labelled samples.
        unlabeled_pool: the points that may be asked for.
        test_pool: the independent test set.
        outcomes: how the samples that were tried so far ended.
        space: the parameter space.
        design: the Sobol' sequence that the initial design began.
        foretold: what was foretold of the Sobol' share so far.
        budget_left: share of the budget of solver seconds that is not spent; 0 without one.
        residual: how far predicted fields are from solving the equations.
        rng: the only source of random numbers of this step's phase.
        active_learning_step_idx: the step.
        current_phase: the phase that runs.
        log_dir: the step's directory.
        run_id: name of the campaign.
        logger: where strategies log.
        query_queue: what was chosen and is not labelled yet.
        label_queue: what is labelled and not appended yet.
        query_strategies: who chooses.
        label_strategy: who labels.
        metrology_strategies: who measures.
    """

    learner: LevelLearner
    training_pool: TrainingPool
    unlabeled_pool: CandidatePool
    test_pool: TrainingPool
    outcomes: Outcomes
    space: ParameterSpace
    design: DesignSequence
    foretold: Sequence[Foretold]
    budget_left: float
    residual: PredictedResidual
    rng: np.random.Generator
    active_learning_step_idx: int
    current_phase: str
    log_dir: Path
    run_id: str
    logger: logging.Logger
    query_queue: DirectoryQueue
    label_queue: DirectoryQueue
    query_strategies: Sequence[Querying]
    label_strategy: SolverLabel
    metrology_strategies: Sequence[FixedTestSet]

    @property
    def train_datapool(self) -> TrainingPool:
        """The labelled samples, under their other documented name."""
        return self.training_pool

    @property
    def unlabeled_datapool(self) -> CandidatePool:
        """The points that may be asked for, under their other documented name."""
        return self.unlabeled_pool

    @property
    def validation_pool(self) -> TrainingPool:
        """The samples that are never learnt from: the test set."""
        return self.test_pool

    @property
    def val_datapool(self) -> TrainingPool:
        """The same, under its other documented name."""
        return self.test_pool

    def attach_strategies(self) -> None:
        """Let every strategy see this step."""
        attach_all(self)

    def active_learning_step(self, *_args: object, **_kwargs: object) -> Never:
        """Refuse: who is attached to a step takes part in it.

        Raises:
            UsageError: always.
        """
        raise UsageError(
            f"a strategy asked for another step in the {self.current_phase} phase of step "
            f"{self.active_learning_step_idx}; steps are taken by phases.campaign_driver"
        )


@contextmanager
def scope(campaign: Campaign, step: int, phase: str) -> Iterator[Scope]:
    """Open what the strategies of a phase need, and close it afterwards."""
    config, learner = campaign.config, load(campaign.checkpoint(step))
    logger = logging.getLogger(f"{LOGGER}.{phase}")
    measured = step if phase == "query" else step - 1  # the last step whose metrology is done
    with campaign.training_pool(step) as training, campaign.test_pool(step) as test:
        yield Scope(
            learner=learner,
            training_pool=training,
            unlabeled_pool=candidates(campaign, step),
            test_pool=test,
            outcomes=outcomes(campaign, step),
            space=config.parameters,
            design=design_before(campaign, step),
            foretold=foretold_until(campaign, measured),
            budget_left=budget_left_at(campaign, step),
            residual=PredictedResidual(campaign, learner, logger),
            rng=generator_for(config.seed, step, phase),
            active_learning_step_idx=step,
            current_phase=phase,
            log_dir=campaign.step_directory(step),
            run_id=config.name,
            logger=logger,
            query_queue=DirectoryQueue(lambda: to_label(campaign, step)),
            label_queue=DirectoryQueue(lambda: to_append(campaign, step)),
            query_strategies=build_queries(config.query, config.samples_per_step),
            label_strategy=solver_label(campaign, step),
            metrology_strategies=[metrology_strategy(campaign, before=step)],
        )


def candidates(campaign: Campaign, step: int) -> CandidatePool:
    """Return the unlabeled pool of a step: a fresh draw, or what is left of the first one."""
    config = campaign.config
    drawn_at = step if config.fresh_candidates else 0
    seed, tried = seed_for(config.seed, drawn_at, "candidates"), tried_picks(campaign, step)
    gone = _rows(campaign, [pick for pick in tried if not pick.sample.level])
    passed = gone if config.fresh_candidates else None
    rows = config.domain.sobol(config.candidates, seed, others=passed)
    pool = CandidatePool(rows, config.parameters.names, campaign.solver.fingerprint)
    return without(pool, gone)


def design_before(campaign: Campaign, step: int) -> DesignSequence:
    """Return the sequence of the initial design behind all that was asked of it before a step."""
    tried = tried_picks(campaign, step)
    others = [pick for pick in tried if pick.asked_by not in {INITIAL, SOBOL}]
    continued = sum(pick.asked_by == SOBOL for pick in tried)
    used = max(campaign.config.initial_counts.values()) + continued
    return design_sequence(campaign, used, _rows(campaign, others))


def _rows(campaign: Campaign, picks: Sequence[Pick]) -> Array:
    names = campaign.config.parameters.names
    return np.reshape([pick.sample.row(names) for pick in picks], (-1, len(names)))


class _Driving(Protocol):
    @property
    def query_strategies(self) -> Sequence[Querying]: ...

    @property
    def label_strategy(self) -> SolverLabel: ...

    @property
    def metrology_strategies(self) -> Sequence[FixedTestSet]: ...


def attach_all(driver: _Driving) -> None:
    """Let every strategy of a driver see it."""
    attachable: list[Attachable] = [*driver.query_strategies, *driver.metrology_strategies]
    for strategy in [*attachable, driver.label_strategy]:
        strategy.attach(driver)


def metrology_strategy(campaign: Campaign, *, before: int | None = None) -> FixedTestSet:
    """Return who measures a campaign's surrogates, with the records of steps before this one."""
    strategy = FixedTestSet()
    measured = [e.step for e in campaign.ledger.entries() if e.phase == "metrology"]
    for step in measured[:before]:
        file = campaign.step_directory(step) / "metrics.json"
        strategy.append(read_step_file(file, "holds a step's metrics"))
    return strategy
