"""The documented driver of a campaign: its state at a step, and the loop over its phases.

`phases.driver.Driver` is assembled in Python and keeps checkpoints; a campaign *is* its
checkpoint: its directory says at every instant what is done. So this driver holds nothing that
could be lost.
"""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, Self

import numpy as np

from phases.campaign import Campaign
from phases.campaign_label import solver_label
from phases.campaign_phases import PlainWork
from phases.campaign_queues import DirectoryQueue, to_append, to_label
from phases.config import CampaignConfig
from phases.outcomes import outcomes
from phases.progress import LOGGER
from phases.residual import PredictedResidual
from phases.retry import append_retried
from phases.scope import attach_all, candidates, design_before, metrology_strategy
from phases.spent import budget_left_at
from phases.unbiased import foretold_until
from pools.candidates import CandidatePool, DesignSequence
from pools.errors import UsageError
from pools.outcomes import Outcomes
from pools.seeds import generator_for
from pools.space import ParameterSpace
from pools.training import TrainingPool
from strategies.foretold import Foretold
from strategies.label import SolverLabel
from strategies.metrology import FixedTestSet
from strategies.needed import Querying
from strategies.phase import STEP, ActiveLearningPhase
from strategies.settings import build_queries
from surrogates.checkpoint import load
from surrogates.prediction import Learner

_IN_LEDGER = dict(zip(STEP, ("train", "metrology", "query", "append"), strict=True))


class CampaignWork(Protocol):
    """How a campaign's work is done: as plain functions, or as flows and tasks."""

    def prepare(self, campaign: Campaign, /) -> None:
        """Draw the initial design and the test set, label them, and begin the training pool."""
        ...

    def step(self, campaign: Campaign, step: int, /) -> str:
        """Take a step; return why the campaign stops here, or nothing when it goes on."""
        ...

    def conclude(self, campaign: Campaign, /) -> None:
        """Do what follows the last step."""
        ...


class CampaignDriver:
    """A campaign as a driver: what strategies see between phases, and `run`.

    Args:
        campaign: the campaign.
        work: how its work is done; in this process, without Prefect, unless given.
    """

    def __init__(self, campaign: Campaign, work: CampaignWork | None = None) -> None:
        self.campaign = campaign
        self.work = work or PlainWork()
        self.stopped = ""
        self.logger = logging.getLogger(LOGGER)
        self.query_queue = DirectoryQueue(lambda: to_label(campaign, self._step))
        self.label_queue = DirectoryQueue(lambda: to_append(campaign, self._step))
        self.query_strategies: list[Querying] = build_queries(
            campaign.config.query, campaign.config.samples_per_step
        )

    @classmethod
    def start(
        cls, config: CampaignConfig, directory: Path, work: CampaignWork | None = None
    ) -> Self:
        """Create the campaign in `directory`, or resume the one that is there.

        Raises:
            UsageError: the directory is another campaign's, or the configuration changed in a
                section that decides samples or weights.
        """
        return cls(Campaign.start(config, directory), work)

    @classmethod
    def load_checkpoint(
        cls, checkpoint_path: str | Path, work: CampaignWork | None = None
    ) -> Self:
        """Return a driver that goes on where a campaign stands.

        Args:
            checkpoint_path: the campaign's directory, or anything in it.
            work: as for the class.

        Raises:
            UsageError: it lies in no campaign's directory.
        """
        place = Path(checkpoint_path).resolve()
        homes = [p for p in (place, *place.parents) if (p / "campaign.yaml").is_file()]
        return cls(Campaign.open(homes[0] if homes else place), work)

    def save_checkpoint(self) -> Path:
        """Return the campaign's directory, which is complete at every instant."""
        return self.campaign.directory

    # -- the loop --------------------------------------------------------------------------------

    def run(self) -> str:
        """Go on from wherever the campaign stands until a stopping rule decides.

        Returns:
            Why it stopped, in words.

        Raises:
            CampaignError: another process runs it, or too few samples could be labelled.
        """
        with self.campaign.exclusive():
            self._prepare()
            self.stopped = ""
            while not self.stopped:
                self._take_step()
            self.work.conclude(self.campaign)
        return self.stopped

    def __call__(self) -> str:
        """Do as `run`."""
        return self.run()

    def active_learning_step(self) -> None:
        """Take one step, or finish the one that was begun; `stopped` says whether it was the last.

        Raises:
            CampaignError: as `run`.
        """
        with self.campaign.exclusive():
            self._prepare()
            self._take_step()

    def _prepare(self) -> None:
        self.campaign.verify()
        append_retried(self.campaign)  # what a killed retry solved
        self.work.prepare(self.campaign)

    def _take_step(self) -> None:
        self.stopped = self.work.step(self.campaign, self._step)

    # -- what strategies see ---------------------------------------------------------------------

    @property
    def config(self) -> CampaignConfig:
        """The campaign's configuration."""
        return self.campaign.config

    @property
    def run_id(self) -> str:
        """Name of the campaign."""
        return self.campaign.config.name

    @property
    def log_dir(self) -> Path:
        """The campaign's directory."""
        return self.campaign.directory

    @property
    def active_learning_step_idx(self) -> int:
        """The first step that is not finished."""
        return self._step

    @property
    def current_phase(self) -> ActiveLearningPhase:
        """The first phase of that step that is not finished."""
        step, ledger = self._step, self.campaign.ledger
        open_phases = (phase for phase in STEP if not ledger.find(step, _IN_LEDGER[phase]))
        return next(open_phases)

    @property
    def learner(self) -> Learner:
        """The surrogate that was trained last.

        Raises:
            UsageError: none was trained yet.
        """
        if not (trained := self.campaign.next_to_train()):
            raise UsageError(
                f"{self.campaign.directory} has trained no surrogate yet; run a step first"
            )
        return load(self.campaign.checkpoint(trained - 1))

    @property
    def label_strategy(self) -> SolverLabel:
        """Who labels: the campaign's solver."""
        return solver_label(self.campaign, self._step)

    @property
    def metrology_strategies(self) -> Sequence[FixedTestSet]:
        """Who measures, with the records of all steps so far."""
        return [metrology_strategy(self.campaign)]

    @property
    def training_pool(self) -> TrainingPool:
        """The labelled samples, as the next training sees them."""
        return self.campaign.training_pool(self.campaign.next_to_train())

    train_datapool = training_pool

    @property
    def validation_pool(self) -> TrainingPool:
        """The independent test set: what is never learnt from."""
        return self.campaign.test_pool(self.campaign.next_to_train())

    val_datapool = validation_pool
    test_pool = validation_pool

    @property
    def unlabeled_pool(self) -> CandidatePool:
        """The candidates of the step."""
        return candidates(self.campaign, self._step)

    unlabeled_datapool = unlabeled_pool

    @property
    def space(self) -> ParameterSpace:
        """The parameters, their bounds and scales."""
        return self.campaign.config.parameters

    @property
    def design(self) -> DesignSequence:
        """The Sobol' sequence that the initial design began, behind what was asked of it."""
        return design_before(self.campaign, self._step)

    @property
    def foretold(self) -> Sequence[Foretold]:
        """What was foretold of the Sobol' share so far."""
        return foretold_until(self.campaign, self.campaign.next_to_train() - 1)

    @property
    def budget_left(self) -> float:
        """Share of the budget of solver seconds that is not spent; 0 without one."""
        return budget_left_at(self.campaign, self.campaign.next_to_train())

    @property
    def outcomes(self) -> Outcomes:
        """How all samples that were tried ended."""
        return outcomes(self.campaign, self.campaign.next_to_train())

    @property
    def residual(self) -> PredictedResidual:
        """How far the fields that `learner` predicts are from solving the equations.

        Raises:
            UsageError: no surrogate was trained yet.
        """
        return PredictedResidual(self.campaign, self.learner, self.logger)

    @property
    def rng(self) -> np.random.Generator:
        """The random numbers of the phase, from their beginning."""
        step, phase = self._step, _IN_LEDGER[self.current_phase]
        return generator_for(self.campaign.config.seed, step, phase)

    def attach_strategies(self) -> None:
        """Let every strategy see this driver; the phases attach them to the step that they do."""
        attach_all(self)

    @property
    def _step(self) -> int:
        return self.campaign.first_unfinished_step()
