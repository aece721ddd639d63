"""The documented driver: a loop of active learning around any torch module and any pools.

It holds the state of a run and the phases on it; the work is in the rooms. The loop itself is
`phases.loop`, which campaigns share.
"""

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import torch

from phases.driver_checkpoint import (
    Snapshot,
    holds_checkpoint,
    newest,
    put_aside,
    read_snapshot,
    write_snapshot,
)
from phases.driver_checks import check_kinds, check_parts, check_steps
from phases.driver_config import DriverConfig
from phases.driver_log import DriverLog, Where
from phases.driver_pool import DriverPool
from phases.driver_resume import restore_driver, snapshot_of
from phases.driver_step import DriverStep
from phases.label_journal import LabelJournal
from phases.labelling import identity_or_none
from phases.loop import take_step
from phases.open_pool import OpenPool
from phases.seeding import seeded
from phases.strategies_config import StrategiesConfig
from phases.training_config import TrainingConfig
from pools.durable_queue import DurableQueue
from pools.encoding import decode, encode
from pools.errors import UsageError
from pools.queue_content import content_of, drain, fill
from pools.seeds import seed_for
from strategies.logging_to import give_logger
from strategies.phase import STEP, ActiveLearningPhase
from strategies.protocols import InferenceProtocol, name_of
from surrogates.distribution import Distribution

PhaseRunner = Callable[[ActiveLearningPhase, int, Callable[[], None]], None]
"""Runs one phase of a step: itself, or as a task of an orchestrator."""


def plainly(_phase: ActiveLearningPhase, _step: int, work: Callable[[], None]) -> None:
    """Run a phase as it is."""
    work()


class Driver:
    """The state of one run of active learning, and its phases.

    Args:
        config: batches, steps, checkpoints, where it logs.
        learner: any torch module; its own `training_step` is used where there is one.
        strategies_config: who chooses, labels and measures.
        training_config: pools, epochs, optimizers; None where training and labelling are skipped.
        inference_fn: what `predict` calls with the learner and a batch.

    Raises:
        UsageError: something that is needed is missing, or contradicts something else.
    """

    def __init__(
        self,
        config: DriverConfig,
        learner: Any,  # noqa: ANN401 - any torch module, or what has its members
        strategies_config: StrategiesConfig,
        training_config: TrainingConfig | None = None,
        inference_fn: InferenceProtocol | None = None,
    ) -> None:
        check_kinds(config, strategies_config, training_config)
        self.distribution = Distribution.of(config.dist_manager).patient()
        self.config = _as_on_first(config, self.distribution)
        self.learner = learner
        self.strategies_config = strategies_config
        self.training_config = training_config
        self.inference_fn = inference_fn
        self.current_phase: ActiveLearningPhase | None = None
        self.optimizer: torch.optim.Optimizer | None = None
        self.lr_scheduler: torch.optim.lr_scheduler.LRScheduler | None = None
        self.last_checkpoint: Path | None = None
        self.run_phase: PhaseRunner = plainly
        self.stopped = ""
        self.failed: list[Any] = []
        self._step = 0
        self.has_begun = False
        self.resumed: Snapshot | None = None
        check_parts(config, learner, strategies_config, training_config)
        self._log = DriverLog(
            self.log_dir, self.run_id, self._where, is_quiet=not self.distribution.is_first
        )
        self.journal = LabelJournal(self.log_dir / "labels.sqlite")
        self.query_queue = self._queue("query")
        self.label_queue = self._queue("label")
        pool = strategies_config.unlabeled_datapool
        self._unlabeled = None if pool is None else OpenPool(pool)
        self.pool = (
            None
            if self.train_datapool is None
            else DriverPool(self.train_datapool, self.distribution)
        )
        self.attach_strategies()

    # -- what strategies see ---------------------------------------------------------------------

    @property
    def query_strategies(self) -> list[Any]:
        """Who chooses."""
        return list(self.strategies_config.query_strategies)

    @property
    def label_strategy(self) -> Any:  # noqa: ANN401 - any label strategy
        """Who labels."""
        return self.strategies_config.label_strategy

    @property
    def metrology_strategies(self) -> list[Any]:
        """Who measures."""
        return list(self.strategies_config.metrology_strategies or ())

    @property
    def train_datapool(self) -> Any:  # noqa: ANN401 - any pool
        """The labelled samples."""
        return None if self.training_config is None else self.training_config.train_datapool

    training_pool = train_datapool

    @property
    def val_datapool(self) -> Any:  # noqa: ANN401 - any pool
        """The samples to validate on."""
        return None if self.training_config is None else self.training_config.val_datapool

    validation_pool = val_datapool

    @property
    def unlabeled_datapool(self) -> Any:  # noqa: ANN401 - any pool
        """The samples to choose from that nobody has asked for yet."""
        return self._unlabeled

    unlabeled_pool = unlabeled_datapool

    @property
    def train_loop_fn(self) -> Any:  # noqa: ANN401 - any training loop
        """The loop over epochs."""
        return None if self.training_config is None else self.training_config.train_loop_fn

    @property
    def active_learning_step_idx(self) -> int:
        """The step, from 0."""
        return self._step

    @active_learning_step_idx.setter
    def active_learning_step_idx(self, value: int) -> None:
        if value < 0:
            raise UsageError(f"active_learning_step_idx is {value}; give 0 or more")
        self._step = value

    @property
    def run_id(self) -> str:
        """Name of the run."""
        return self.config.run_id

    @property
    def log_dir(self) -> Path:
        """Where log, checkpoints, labels and strategies' files are."""
        return self.config.log_dir

    @property
    def device(self) -> torch.device:
        """Where the learner and its batches are."""
        device = self.distribution.device or self.config.device or torch.get_default_device()
        return torch.device(device)

    @property
    def logger(self) -> logging.Logger:
        """The driver's log; every record has the step and the phase."""
        return self._log.logger

    def predict(self, data: Any) -> Any:  # noqa: ANN401 - whatever the learner takes and returns
        """Return what the learner predicts of a batch, without gradients."""
        self.learner.eval()
        with torch.no_grad():
            if self.inference_fn is not None:
                return self.inference_fn(self.learner, data)
            return getattr(self.learner, "inference_step", self.learner)(data)

    # -- the loop --------------------------------------------------------------------------------

    def run(
        self,
        train_step_fn: Any = None,  # noqa: ANN401 - a TrainingProtocol
        validate_step_fn: Any = None,  # noqa: ANN401 - a ValidationProtocol
        *args: Any,  # noqa: ANN401 - the strategies' own
        **kwargs: Any,  # noqa: ANN401 - the strategies' own
    ) -> str:
        """Go on until the last step is done, or nothing is left to choose.

        Args:
            train_step_fn: loss of the learner on a batch, `(learner, batch)`; the training loop's
                or the learner's own if None.
            validate_step_fn: the same for validation.
            args: passed to the strategies, as far as they take them.
            kwargs: passed to the strategies and the step functions, as far as they take them.

        Returns:
            Why it ended, in words.

        Raises:
            UsageError: no step function anywhere, or the directory is another run's.
            TooFewLabelsError: samples were asked for and none was labelled.
        """
        self._begin()
        self.stopped = ""
        while not self.stopped:
            self.active_learning_step(train_step_fn, validate_step_fn, *args, **kwargs)
        return self.stopped

    def __call__(self, *args: Any, **kwargs: Any) -> str:  # noqa: ANN401 - as `run`
        """Do as `run`."""
        return self.run(*args, **kwargs)

    def active_learning_step(
        self,
        train_step_fn: Any = None,  # noqa: ANN401 - a TrainingProtocol
        validate_step_fn: Any = None,  # noqa: ANN401 - a ValidationProtocol
        *args: Any,  # noqa: ANN401 - the strategies' own
        **kwargs: Any,  # noqa: ANN401 - the strategies' own
    ) -> None:
        """Do one step: train, measure, and unless that was the last: query, label."""
        self._begin()
        check_steps(self, train_step_fn, validate_step_fn)
        most = self.config.max_active_learning_steps
        if self.config.skip_labeling and most is not None and self._step >= most:
            self.stopped = f"{most} of {most} steps done"  # there is nothing new to learn from
            return
        turn = DriverStep(self, train_step_fn, validate_step_fn, args, kwargs)
        self.stopped = take_step(turn) or turn.exhausted
        if self.stopped:
            self.logger.info("stopped: %s", self.stopped)
        else:
            self._step += 1

    def attach_strategies(self) -> None:
        """Let every strategy see this driver, and log to its log."""
        for strategy in self.strategies_config.all:
            if hasattr(strategy, "attach"):
                strategy.attach(self)
            give_logger(strategy, self._log.of(name_of(strategy)))

    def barrier(self) -> None:
        """Wait for the other processes that train the learner."""
        self.distribution.barrier()

    def close(self) -> None:
        """Close log and labels; a driver of the same directory opens them again."""
        self._log.close()
        self.journal.close()

    # -- checkpoints -----------------------------------------------------------------------------

    def save_checkpoint(
        self, path: str | Path | None = None, training_epoch: int | None = None
    ) -> Path | None:
        """Write everything that resuming needs, atomically and without pickle.

        Args:
            path: a directory; `checkpoints/step_<k>/<phase>` in the run's own unless given.
            training_epoch: the epoch after which it is written, in the middle of training.

        Returns:
            The directory; None on all ranks but the first.
        """
        self.has_begun = True
        if not self.distribution.is_first:
            return None
        phase = self.current_phase or ActiveLearningPhase.TRAINING
        if path is None:
            path = self.log_dir / "checkpoints" / f"step_{self._step}" / str(phase)
            path = path if training_epoch is None else path / f"epoch_{training_epoch}"
        write_snapshot(Path(path), snapshot_of(self, phase, training_epoch))
        self.last_checkpoint = Path(path)
        return Path(path)

    @classmethod
    def load_checkpoint(  # noqa: PLR0913 - documented
        cls,
        checkpoint_path: str | Path,
        learner: Any = None,  # noqa: ANN401 - any torch module
        train_datapool: Any = None,  # noqa: ANN401 - any pool
        val_datapool: Any = None,  # noqa: ANN401 - any pool
        unlabeled_datapool: Any = None,  # noqa: ANN401 - any pool
        *,
        inference_fn: InferenceProtocol | None = None,
        driver_config_overrides: Mapping[str, Any] | None = None,
        strategies_config_overrides: Mapping[str, Any] | None = None,
        training_config_overrides: Mapping[str, Any] | None = None,
    ) -> Self:
        """Return a driver that goes on where a checkpoint was written.

        The pools are not in a checkpoint, but all labels are in the run's directory: give the
        training pool as it was at the beginning, and what was appended is appended again; or as
        it is on disk, where it keeps itself.

        Args:
            checkpoint_path: a checkpoint, or the run's directory, whose newest is taken.
            learner: a module of the architecture that was saved.
            train_datapool: the training pool.
            val_datapool: the validation pool, where there is one.
            unlabeled_datapool: the unlabeled pool, where there is one.
            inference_fn: what `predict` calls.
            driver_config_overrides: fields of the configuration that shall differ.
            strategies_config_overrides: the same for strategies; those that a checkpoint cannot
                make again are given here.
            training_config_overrides: the same for training.

        Raises:
            UsageError: something that it needs is not given, or does not fit.
            IntegrityError: the checkpoint is damaged, or of another format.
        """
        place = newest(Path(checkpoint_path))
        snapshot = read_snapshot(place)
        if learner is None:
            raise UsageError(
                f"{place} holds the weights of a {snapshot.learner}, not its code; give one, as "
                "in Driver.load_checkpoint(path, learner=Net())"
            )
        training = None
        if snapshot.training is not None:
            pools = {"train_datapool": train_datapool, "val_datapool": val_datapool}
            given = {name: pool for name, pool in pools.items() if pool is not None}
            training = TrainingConfig.from_dict(
                snapshot.training, **{**given, **(training_config_overrides or {})}
            )
        strategies = StrategiesConfig.from_dict(
            snapshot.strategies,
            **{"unlabeled_datapool": unlabeled_datapool, **(strategies_config_overrides or {})},
        )
        config = DriverConfig.from_json(snapshot.config, **(driver_config_overrides or {}))
        driver = cls(config, learner, strategies, training, inference_fn)
        restore_driver(driver, snapshot, place)
        return driver

    # -- beneath ---------------------------------------------------------------------------------

    def _where(self) -> Where:
        return Where(self._step, str(self.current_phase or ""))

    def _queue(self, name: str) -> Any:  # noqa: ANN401 - any queue
        if self.strategies_config.queue_cls is not DurableQueue:
            return self.strategies_config.queue_cls()
        file, own = self.log_dir / "queues.sqlite", f"{name}-{self.distribution.rank}"
        # A loss of power may take its last changes: checkpoints and the journal have them.
        queue = DurableQueue(file, own, synchronous="normal")
        if not holds_checkpoint(self.log_dir):
            drain(queue)  # of a run that was killed before its first checkpoint
        return queue

    def _begin(self) -> None:
        """Refuse to begin a run where another one has been.

        One that was killed before its first checkpoint begins anew; its labels are taken over.
        """
        if not self.has_begun and self._step == 0:
            self.distribution.on_first(self._refuse_foreign)
        self.has_begun = True

    def _refuse_foreign(self) -> None:
        if holds_checkpoint(self.log_dir):
            raise UsageError(
                f"{self.log_dir} holds a run; resume it with Driver.load_checkpoint("
                f"{str(self.log_dir)!r}, learner=..., train_datapool=...), or give another run_id"
            )

    def _leave_old_course(self) -> None:
        """Put aside the checkpoints behind the one that is resumed: other labels led to them."""
        assert self.resumed is not None
        for place in put_aside(self.log_dir, self.resumed):
            self.logger.info("this run goes on from here; %s is of its old course", place)

    def hide_asked(self) -> None:
        """Leave out of the unlabeled pool what is labelled, waits to be, or failed to be."""
        if self._unlabeled is not None:
            self._unlabeled.close(self._asked)

    def _asked(self) -> set[str]:
        others = [*content_of(self.query_queue), *self.failed]
        labelled = self.journal.samples(before=self._step)
        return (labelled | {identity_or_none(item) for item in others}) - {""}

    def retry_failed(self) -> int:
        """Put the samples that have no label on the query queue, and return how many those are."""
        fill(self.query_queue, self.failed)
        count, self.failed = len(self.failed), []
        return count

    def seed_of(self, purpose: str) -> int:
        """Return the seed of a purpose in this step; processes that train together differ."""
        own = "" if self.distribution.is_first else f", rank {self.distribution.rank}"
        return seed_for(self.config.seed or 0, self._step, purpose + own)

    @contextmanager
    def phase(self, phase: ActiveLearningPhase) -> Iterator[None]:
        """Be in a phase: seeded, with a checkpoint before it where one is due."""
        self.current_phase = phase
        started = time.monotonic()
        try:
            self.hide_asked()
            if self.resumed is not None:
                self.distribution.on_first(self._leave_old_course)
            elif self.config.checkpoints_at(self._step, phase):
                self.save_checkpoint()
            with seeded(self.seed_of(phase)):
                yield
            self.logger.info("%s took %.3f s", phase, time.monotonic() - started)
        except Exception:
            self.logger.exception("%s failed", phase)
            raise
        finally:
            self.current_phase = None
        self.barrier()

    def is_skipped(self, phase: ActiveLearningPhase) -> bool:
        """Say whether a phase was done before the checkpoint that is resumed."""
        if self.resumed is None:
            return False
        return STEP.index(phase) < STEP.index(self.resumed.phase)


def _as_on_first(config: DriverConfig, distribution: Distribution) -> DriverConfig:
    """Return the configuration with the name and the seed of the first process's."""
    if distribution.size == 1:
        return config
    content = distribution.from_first(lambda: encode([config.run_id, config.seed]))
    run_id, seed = decode(content)
    return config.with_changes({"run_id": run_id, "seed": seed})
