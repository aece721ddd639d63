"""What is refused before a driver does anything."""

from typing import TYPE_CHECKING

import torch

from phases.driver_config import DriverConfig
from phases.strategies_config import StrategiesConfig
from phases.training_config import TrainingConfig
from pools.errors import UsageError
from strategies.requirements import LEARNER, require

if TYPE_CHECKING:
    from phases.driver import Driver


def check_kinds(config: object, strategies: object, training: object) -> None:
    """Check that each configuration is one: they are easily given in another order.

    Raises:
        UsageError: one is something else.
    """
    for name, given, kind in (
        ("config", config, DriverConfig),
        ("strategies_config", strategies, StrategiesConfig),
        ("training_config", training, TrainingConfig),
    ):
        if not isinstance(given, kind) and (given is not None or kind is not TrainingConfig):
            raise UsageError(
                f"{name} is a {type(given).__name__}; give a {kind.__name__}: a driver is made as "
                "Driver(DriverConfig(...), learner, StrategiesConfig(...), TrainingConfig(...))"
            )


def check_parts(
    config: DriverConfig,
    learner: object,
    strategies: StrategiesConfig,
    training: TrainingConfig | None,
) -> None:
    """Check that the parts of a driver fit each other.

    Raises:
        UsageError: one is missing, or contradicts another.
    """
    require(learner, LEARNER, "learner")
    if str(config.device).startswith("cuda") and not torch.cuda.is_available():
        raise UsageError(
            f"device is '{config.device}', but torch finds no GPU here; give device='cpu' (to "
            "load_checkpoint in driver_config_overrides), or install torch with CUDA"
        )
    if not config.skip_training and training is None:
        raise UsageError(
            "training_config is None but skip_training is False; give a TrainingConfig, or "
            "skip training"
        )
    if not config.skip_labeling and strategies.label_strategy is None:
        raise UsageError(
            "strategies_config has no label_strategy but skip_labeling is False; give one, or "
            "skip labelling"
        )
    if not config.skip_labeling and training is None:
        raise UsageError(
            "training_config is None but skip_labeling is False, and labels are appended to "
            "its train_datapool; give a TrainingConfig, or skip labelling"
        )


def check_steps(driver: "Driver", train_step_fn: object, validate_step_fn: object) -> None:
    """Check that somebody says how to train, before anything is trained.

    Raises:
        UsageError: nobody does, or there is nothing to validate on.
    """
    if driver.config.skip_training:
        return
    loop = driver.train_loop_fn
    own = getattr(loop, "train_step_fn", None) or getattr(driver.learner, "training_step", None)
    if train_step_fn is None and own is None and hasattr(loop, "train_step_fn"):
        raise UsageError(
            f"nobody says how to train {type(driver.learner).__name__}: give train_step_fn to "
            "run(), such as `def step(model, batch): return loss(model(batch[0]), batch[1])`, "
            "give it to DefaultTrainingLoop, or let the learner have a `training_step`"
        )
    if validate_step_fn is not None and driver.val_datapool is None:
        raise UsageError("validate_step_fn is given but val_datapool is None; give both")
