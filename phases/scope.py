"""What a strategy sees after `attach`: the state of a campaign at one step."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from phases.asked import queried_picks
from phases.campaign import Campaign
from phases.design import design_sequence
from phases.progress import LOGGER
from pools.candidates import CandidatePool, DesignSequence
from pools.seeds import generator_for, seed_for
from pools.space import ParameterSpace
from pools.training import TrainingPool
from surrogates.checkpoint import load
from surrogates.prediction import Learner


@dataclass(frozen=True, slots=True, eq=False)
class Scope:
    """One campaign at one step, as its strategies may read it.

    Attributes:
        learner: the surrogate that this step trained.
        training_pool: the labelled samples.
        unlabeled_pool: the points that may be asked for.
        test_pool: the fixed independent test set.
        space: the parameter space.
        design: the Sobol' sequence that the initial design began.
        rng: the only source of random numbers of this step's phase.
        active_learning_step_idx: the step.
        current_phase: the phase that runs.
        log_dir: the step's directory.
        run_id: name of the campaign.
        logger: where strategies log.
    """

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


@contextmanager
def scope(campaign: Campaign, step: int, phase: str) -> Iterator[Scope]:
    """Open what the strategies of a phase need, and close it afterwards."""
    config = campaign.config
    with campaign.training_pool(step) as training, campaign.test_pool() as test:
        yield Scope(
            learner=load(campaign.checkpoint(step)),
            training_pool=training,
            unlabeled_pool=_candidates(campaign, step),
            test_pool=test,
            space=config.parameters,
            design=design_sequence(campaign, _design_points_used(campaign, step)),
            rng=generator_for(config.seed, step, phase),
            active_learning_step_idx=step,
            current_phase=phase,
            log_dir=campaign.step_directory(step),
            run_id=config.name,
            logger=logging.getLogger(f"{LOGGER}.{phase}"),
        )


def _candidates(campaign: Campaign, step: int) -> CandidatePool:
    """Draw the unlabeled pool of a step, afresh."""
    config = campaign.config
    rows = config.parameters.sobol(config.candidates, seed_for(config.seed, step, "candidates"))
    return CandidatePool(rows, config.parameters.names, campaign.solver.fingerprint)


def _design_points_used(campaign: Campaign, step: int) -> int:
    """Count the points of the design sequence that were asked for before this step."""
    picks = [pick for k in range(step) for pick in queried_picks(campaign, k)]
    continued = sum(pick.asked_by == "sobol" for pick in picks)
    return campaign.config.initial_samples + continued
