"""How a driver trains its learner: pools, epochs, optimizers, schedulers, the loop."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import torch
from torch.optim import AdamW, Optimizer
from torch.optim.lr_scheduler import LRScheduler

from pools.errors import UsageError
from strategies.arguments import arguments_of, class_named, made_again, to_json
from strategies.protocols import TrainingLoop
from strategies.requirements import READ_POOL, TRAINING_POOL, require
from surrogates.training_loop import DefaultTrainingLoop

_EXAMPLES = {
    "optimizer_cls": "torch.optim.AdamW",
    "scheduler_cls": "torch.optim.lr_scheduler.CosineAnnealingLR",
}


@dataclass(frozen=True)
class OptimizerConfig:
    """An optimizer and, where wanted, a scheduler of its learning rate.

    Attributes:
        optimizer_cls: the optimizer's class.
        optimizer_kwargs: its arguments beside the parameters.
        scheduler_cls: the scheduler's class; it is stepped once an epoch.
        scheduler_kwargs: its arguments beside the optimizer.
    """

    optimizer_cls: type[Optimizer] = AdamW
    optimizer_kwargs: Mapping[str, Any] = field(default_factory=lambda: {"lr": 1e-4})
    scheduler_cls: type[LRScheduler] | None = None
    scheduler_kwargs: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("optimizer_cls", "scheduler_cls"):
            if (kind := getattr(self, name)) is not None and not isinstance(kind, type):
                raise UsageError(f"{name} is {kind!r}; give a class, such as {_EXAMPLES[name]}")
        rate = self.optimizer_kwargs.get("lr", 1.0)
        if isinstance(rate, bool) or not isinstance(rate, int | float) or not rate > 0:
            raise UsageError(f"optimizer_kwargs: lr is {rate!r}; give a number above 0")
        if self.scheduler_kwargs and self.scheduler_cls is None:
            raise UsageError(
                f"scheduler_kwargs are {dict(self.scheduler_kwargs)} but scheduler_cls is None; "
                "give a scheduler, such as torch.optim.lr_scheduler.CosineAnnealingLR, or leave "
                "scheduler_kwargs out"
            )
        _try_out(self)

    def optimizer(self, parameters: Any, rate: float | None = None) -> Optimizer:  # noqa: ANN401
        """Return a new optimizer of these parameters.

        Args:
            parameters: what is optimised.
            rate: learning rate; as declared if None.
        """
        changes = {} if rate is None else {"lr": rate}
        return self.optimizer_cls(parameters, **{**self.optimizer_kwargs, **changes})

    def scheduler(self, optimizer: Optimizer) -> LRScheduler | None:
        """Return a new scheduler of an optimizer; None where none is declared."""
        if self.scheduler_cls is None:
            return None
        return self.scheduler_cls(optimizer, **self.scheduler_kwargs)

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON.

        Raises:
            UsageError: an argument has no JSON.
        """
        content = to_json(
            {
                "optimizer_cls": _class(self.optimizer_cls),
                "optimizer_kwargs": dict(self.optimizer_kwargs),
                "scheduler_cls": self.scheduler_cls and _class(self.scheduler_cls),
                "scheduler_kwargs": dict(self.scheduler_kwargs),
            }
        )
        if content is None:
            raise UsageError(
                f"{self} cannot be written as JSON; give numbers, words, lists and dictionaries "
                "of them as arguments of the optimizer and the scheduler"
            )
        return content

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Make it from what `to_dict` returned.

        Raises:
            UsageError: a class is not one that this program has imported.
        """
        scheduler = data.get("scheduler_cls")
        return cls(
            _found(data["optimizer_cls"], Optimizer),
            data["optimizer_kwargs"],
            None if scheduler is None else _found(scheduler, LRScheduler),
            data["scheduler_kwargs"],
        )


@dataclass(frozen=True)
class TrainingConfig:
    """How the learner is trained, at first and in later steps.

    Attributes:
        train_datapool: the labelled samples; labels are appended to it.
        max_training_epochs: epochs of the initial training.
        val_datapool: samples to validate on.
        optimizer_config: optimizer and scheduler of the initial training.
        max_fine_tuning_epochs: epochs of later steps; as many as at first if None.
        train_loop_fn: the loop over epochs.
        fine_tuning_optimizer_config: optimizer and scheduler of later steps; those of the initial
            training if None.
    """

    train_datapool: Any
    max_training_epochs: int
    val_datapool: Any = None
    optimizer_config: OptimizerConfig = field(default_factory=OptimizerConfig)
    max_fine_tuning_epochs: int | None = None
    train_loop_fn: TrainingLoop = field(default_factory=DefaultTrainingLoop)
    fine_tuning_optimizer_config: OptimizerConfig | None = None

    def __post_init__(self) -> None:
        require(self.train_datapool, TRAINING_POOL, "train_datapool")
        if self.val_datapool is not None:
            require(self.val_datapool, READ_POOL, "val_datapool")
        if not callable(self.train_loop_fn):
            raise UsageError(
                f"train_loop_fn is a {type(self.train_loop_fn).__name__}, which cannot be called; "
                "give a training loop, such as DefaultTrainingLoop()"
            )
        for name, is_needed in (("max_training_epochs", True), ("max_fine_tuning_epochs", False)):
            _check_epochs(getattr(self, name), name, is_needed=is_needed)
        for name, is_needed in (
            ("optimizer_config", True),
            ("fine_tuning_optimizer_config", False),
        ):
            _check_optimizer(getattr(self, name), name, is_needed=is_needed)

    def epochs(self, step: int) -> int:
        """Return the epochs of a step."""
        if step == 0 or self.max_fine_tuning_epochs is None:
            return self.max_training_epochs
        return self.max_fine_tuning_epochs

    def optimizer_of(self, step: int) -> OptimizerConfig:
        """Return optimizer and scheduler of a step."""
        if step == 0 or self.fine_tuning_optimizer_config is None:
            return self.optimizer_config
        return self.fine_tuning_optimizer_config

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON, without the pools; the loop is None where it has no JSON."""
        fine_tuning = self.fine_tuning_optimizer_config
        return {
            "max_training_epochs": self.max_training_epochs,
            "max_fine_tuning_epochs": self.max_fine_tuning_epochs,
            "optimizer_config": self.optimizer_config.to_dict(),
            "fine_tuning_optimizer_config": fine_tuning and fine_tuning.to_dict(),
            "train_loop_fn": to_json(arguments_of(self.train_loop_fn)),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], **given: Any) -> Self:  # noqa: ANN401
        """Make it from what `to_dict` returned.

        Args:
            data: what `to_dict` returned.
            given: what it does not hold, `train_datapool` above all, and what shall differ.

        Raises:
            UsageError: there is no training pool, or the loop cannot be made again.
        """
        if "train_datapool" not in given:
            raise UsageError(
                "train_datapool is missing: pools are not kept in configurations; give it, as in "
                "Driver.load_checkpoint(path, learner=..., train_datapool=pool) or "
                "TrainingConfig.from_dict(data, train_datapool=pool)"
            )
        fine_tuning = data.get("fine_tuning_optimizer_config")
        known: dict[str, Any] = {
            "max_training_epochs": data["max_training_epochs"],
            "max_fine_tuning_epochs": data.get("max_fine_tuning_epochs"),
            "optimizer_config": OptimizerConfig.from_dict(data["optimizer_config"]),
            "fine_tuning_optimizer_config": fine_tuning and OptimizerConfig.from_dict(fine_tuning),
        }
        if "train_loop_fn" not in given:
            known["train_loop_fn"] = _loop(data["train_loop_fn"])
        return cls(**{**known, **given})


def _check_epochs(epochs: object, name: str, *, is_needed: bool) -> None:
    if epochs is None and not is_needed:
        return
    if isinstance(epochs, bool) or not isinstance(epochs, int) or epochs < 1:
        raise UsageError(f"{name} is {epochs!r}; give at least 1, a whole number")


def _check_optimizer(config: object, name: str, *, is_needed: bool) -> None:
    if isinstance(config, OptimizerConfig) or (config is None and not is_needed):
        return
    raise UsageError(
        f"{name} is {config!r:.80}; give an OptimizerConfig, which makes a new optimizer for each "
        "step, such as OptimizerConfig(torch.optim.AdamW, {'lr': 1e-3})"
    )


def _loop(arguments: Mapping[str, Any] | None) -> Any:  # noqa: ANN401 - any training loop
    if arguments is None:
        raise UsageError(
            "the training loop's arguments have no JSON, so it is not in the checkpoint; give "
            "train_loop_fn"
        )
    return made_again(arguments, ["__call__"], "train_loop_fn")


def _try_out(config: OptimizerConfig) -> None:
    """Make both once for a number, so that wrong arguments are told at once."""
    try:
        config.scheduler(config.optimizer([torch.nn.Parameter(torch.zeros(1))]))
    except (TypeError, ValueError) as error:
        raise UsageError(
            f"{config.optimizer_cls.__name__} with {dict(config.optimizer_kwargs)}, or its "
            f"scheduler with {dict(config.scheduler_kwargs)}, cannot be made: {error}"
        ) from error


def _class(kind: type) -> dict[str, str]:
    return {"__name__": kind.__qualname__, "__module__": kind.__module__}


def _found(named: Mapping[str, str], parent: type) -> Any:  # noqa: ANN401 - a class of that kind
    kind = class_named(named["__name__"], named["__module__"], [])
    if kind is None or not issubclass(kind, parent):
        raise UsageError(
            f"{named['__module__']}.{named['__name__']} is not a {parent.__name__} that this "
            "program has imported; import it before the configuration is read"
        )
    return kind
