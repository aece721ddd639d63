"""The train phase of a driver."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch

from phases.driver_data import batches
from phases.seeding import seed_torch
from phases.training_config import TrainingConfig
from strategies.accepting import accepts, call_accepting

if TYPE_CHECKING:
    from phases.driver import Driver


def train(driver: "Driver", steps: Mapping[str, Any], named: Mapping[str, Any]) -> None:
    """Train the learner, from the epoch on after which the checkpoint that is resumed was written.

    Args:
        driver: whose learner.
        steps: step functions, where the caller of `run` gives them.
        named: what the training step is passed, as far as it takes it.
    """
    training = driver.training_config
    assert training is not None
    step, loop = driver.active_learning_step_idx, training.train_loop_fn
    driver.learner.to(driver.device)
    first, epochs = _prepare_optimizer(driver, training, step), training.epochs(step)
    if first > epochs:
        return

    def after(epoch: int) -> None:
        frequency = driver.config.model_checkpoint_frequency
        if frequency and epoch % frequency == 0 and epoch < epochs:
            driver.save_checkpoint(training_epoch=epoch)
        seed_torch(driver.seed_of(f"epoch {epoch + 1}"))

    seed_torch(driver.seed_of(f"epoch {first}"))
    own = {
        "max_epochs": epochs,
        "validation_dataloader": batches(driver, driver.val_datapool, shuffle=False),
        "lr_scheduler": driver.lr_scheduler,
        "device": driver.device,
        "dtype": driver.config.dtype or torch.get_default_dtype(),
        **_taken(driver, steps["train_step_fn"], named),
        **steps,
    }
    if accepts(loop, "first_epoch") and accepts(loop, "on_epoch_end"):
        own |= {"first_epoch": first, "on_epoch_end": after}
    loader = batches(driver, training.train_datapool, shuffle=True)
    learner = driver.distribution.wrapped(driver.learner)
    call_accepting(loop, [learner, driver.optimizer, loader], named=own)


def _taken(
    driver: "Driver",
    train_step_fn: Any,  # noqa: ANN401 - any step function
    named: Mapping[str, Any],
) -> dict[str, Any]:
    """Return those of the arguments that the training step takes."""
    own = getattr(driver.train_loop_fn, "train_step_fn", None)
    step = train_step_fn or own or getattr(driver.learner, "training_step", None)
    return {} if step is None else {k: v for k, v in named.items() if accepts(step, k)}


def _prepare_optimizer(driver: "Driver", training: TrainingConfig, step: int) -> int:
    """Make the optimizer of a step, or keep the last one's; return the first epoch."""
    if driver.resumed is not None and driver.resumed.epoch is not None:
        return driver.resumed.epoch + 1  # optimizer and scheduler were restored with it
    declared, optimizer = training.optimizer_of(step), driver.optimizer
    rate = driver.config.fine_tuning_lr if step > 0 else None
    if type(optimizer) is not declared.optimizer_cls or driver.config.reset_optim_states:
        optimizer = declared.optimizer(driver.learner.parameters(), rate)
    assert optimizer is not None
    for group in optimizer.param_groups:
        group["lr"] = rate or declared.optimizer_kwargs.get("lr", group["lr"])
        group.pop("initial_lr", None)  # the last step's scheduler began there
    driver.optimizer, driver.lr_scheduler = optimizer, declared.scheduler(optimizer)
    return 1
