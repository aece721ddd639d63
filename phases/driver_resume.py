"""From a driver to what its checkpoint holds, and back."""

from pathlib import Path
from typing import TYPE_CHECKING

from phases.driver_checkpoint import Snapshot
from phases.strategy_state import restore, state_of
from pools.encoding import decode, encode
from pools.errors import UsageError
from pools.queue_content import content_of, replace
from strategies.phase import STEP, ActiveLearningPhase

if TYPE_CHECKING:
    from phases.driver import Driver


def snapshot_of(driver: "Driver", phase: ActiveLearningPhase, epoch: int | None) -> Snapshot:
    """Return everything that resuming needs.

    Args:
        driver: whose.
        phase: the phase to resume at.
        epoch: the epoch after which it is taken, in the middle of training.
    """
    strategies, training = driver.strategies_config, driver.training_config
    trained = {
        "learner": driver.learner,
        "optimizer": driver.optimizer,
        "scheduler": driver.lr_scheduler,
    }
    return Snapshot(
        config=driver.config.to_json(),
        strategies=strategies.to_dict(),
        training=None if training is None else training.to_dict(),
        step=driver.active_learning_step_idx,
        phase=phase,
        epoch=epoch,
        pool=None if driver.pool is None else driver.pool.counts(),
        learner=f"{type(driver.learner).__module__}.{type(driver.learner).__qualname__}",
        content=encode(
            {
                "query": content_of(driver.query_queue),
                "label": content_of(driver.label_queue),
                "failed": driver.failed,
                "states": [state_of(each) for each in strategies.all],
            }
        ),
        states={name: thing.state_dict() for name, thing in trained.items() if thing is not None},
    )


def restore_driver(driver: "Driver", snapshot: Snapshot, place: Path) -> None:
    """Let a driver take over what a checkpoint holds.

    Args:
        driver: a new one.
        snapshot: what the checkpoint holds.
        place: where it is.

    Raises:
        UsageError: the learner or the training pool does not fit.
    """
    try:
        driver.learner.load_state_dict(snapshot.states["learner"])
    except (RuntimeError, KeyError) as error:
        raise UsageError(
            f"{place} was written with a {snapshot.learner} whose weights do not fit the "
            f"{type(driver.learner).__qualname__} that is given: {error}; give a learner of the "
            "same architecture"
        ) from error
    driver.active_learning_step_idx, driver.resumed = snapshot.step, snapshot
    driver.last_checkpoint = place
    driver.has_begun = True
    _restore_optimizer(driver, snapshot)
    content = decode(snapshot.content)
    for queue, items in ((driver.query_queue, "query"), (driver.label_queue, "label")):
        replace(queue, content[items])
    driver.failed = list(content["failed"])
    strategies = driver.strategies_config.all
    for strategy, state in zip(strategies, content["states"], strict=False):  # some may be new
        restore(strategy, state)
    if driver.pool is not None and snapshot.pool is not None:
        driver.pool.refill(snapshot.pool, driver.journal, snapshot.step)
    driver.hide_asked()
    driver.logger.info("resumed %s at step %d, %s", place, snapshot.step, snapshot.phase)


def _restore_optimizer(driver: "Driver", snapshot: Snapshot) -> None:
    """Make optimizer and scheduler as they were when the checkpoint was written."""
    if driver.training_config is None or "optimizer" not in snapshot.states:
        return
    trained = snapshot.step - (STEP.index(snapshot.phase) == 0 and snapshot.epoch is None)
    declared = driver.training_config.optimizer_of(max(trained, 0))
    driver.learner.to(driver.device)
    driver.optimizer = declared.optimizer(driver.learner.parameters())
    driver.lr_scheduler = declared.scheduler(driver.optimizer)
    if driver.lr_scheduler is not None and "scheduler" in snapshot.states:
        driver.lr_scheduler.load_state_dict(snapshot.states["scheduler"])
    driver.optimizer.load_state_dict(snapshot.states["optimizer"])  # its rates come last
