"""How a driver runs: batches, steps, what is skipped, checkpoints, where it logs, on what."""

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Self
from uuid import uuid4

import torch

from pools.errors import UsageError
from strategies.phase import ActiveLearningPhase

_NOT_WRITTEN = frozenset({"dist_manager", "collate_fn"})
_FLAGS = {
    ActiveLearningPhase.TRAINING: "checkpoint_on_training",
    ActiveLearningPhase.METROLOGY: "checkpoint_on_metrology",
    ActiveLearningPhase.QUERY: "checkpoint_on_query",
    ActiveLearningPhase.LABELING: "checkpoint_on_labeling",
}


@dataclass(frozen=True)
class DriverConfig:
    """What a driver does beside training and strategies.

    Attributes:
        batch_size: samples of a batch.
        max_active_learning_steps: the most steps; None for no limit.
        run_id: name of the run; drawn at random unless given.
        fine_tuning_lr: learning rate from the second step on; the optimizer's own if None.
        reset_optim_states: whether each step begins with a new optimizer.
        skip_training: leave the training phase out.
        skip_metrology: leave the metrology phase out.
        skip_labeling: leave the labelling phase out.
        checkpoint_interval: checkpoints are written every so many steps; 0 for never.
        checkpoint_on_training: write one before training.
        checkpoint_on_metrology: write one before metrology.
        checkpoint_on_query: write one before the query.
        checkpoint_on_labeling: write one before labelling.
        model_checkpoint_frequency: while it trains, write one every so many epochs; 0 for never.
        root_log_dir: the run's directory is made in this one.
        dist_manager: anything with `rank`, `world_size` and `device`; torch's own process group
            is used where there is one and this is None.
        collate_fn: makes a batch of samples; torch's own if None.
        num_dataloader_workers: processes that load batches.
        device: where the learner and its batches are; torch's default if None.
        dtype: of the learner and its batches; torch's default if None.
        seed: every draw of the driver depends on it: the order of samples, and what strategies and
            the learner draw from the generators of torch, numpy and Python. torch's initial seed
            if None.
    """

    batch_size: int
    max_active_learning_steps: int | None = None
    run_id: str = field(default_factory=lambda: str(uuid4()))
    fine_tuning_lr: float | None = None
    reset_optim_states: bool = True
    skip_training: bool = False
    skip_metrology: bool = False
    skip_labeling: bool = False
    checkpoint_interval: int = 1
    checkpoint_on_training: bool = False
    checkpoint_on_metrology: bool = False
    checkpoint_on_query: bool = False
    checkpoint_on_labeling: bool = True
    model_checkpoint_frequency: int = 0
    root_log_dir: str | Path = Path("active_learning_logs")
    dist_manager: Any = None
    collate_fn: Callable[..., Any] | None = None
    num_dataloader_workers: int = 0
    device: str | torch.device | None = None
    dtype: torch.dtype | None = None
    seed: int | None = None

    def __post_init__(self) -> None:
        _whole(self, "batch_size", 1)
        if self.max_active_learning_steps is not None:
            _whole(self, "max_active_learning_steps", 1)
        for name in ("checkpoint_interval", "model_checkpoint_frequency"):
            _whole(self, name, 0)
        _whole(self, "num_dataloader_workers", 0)
        if self.fine_tuning_lr is not None and not 0 < self.fine_tuning_lr < math.inf:
            raise UsageError(f"fine_tuning_lr is {self.fine_tuning_lr}; give a number above 0")
        if self.fine_tuning_lr is not None and self.skip_training:
            raise UsageError(
                f"fine_tuning_lr is {self.fine_tuning_lr} but skip_training is True, so "
                "nothing is trained; leave one of them out"
            )
        _name(self.run_id)
        if self.collate_fn is not None and not callable(self.collate_fn):
            raise UsageError(f"collate_fn is {self.collate_fn!r}; give a function of a list")
        object.__setattr__(self, "root_log_dir", Path(self.root_log_dir))
        if self.seed is None:
            object.__setattr__(self, "seed", torch.initial_seed() % 2**63)
        _whole(self, "seed", 0)
        if isinstance(self.device, str):
            object.__setattr__(self, "device", _device(self.device))
        _check_dtype(self.dtype)

    @property
    def log_dir(self) -> Path:
        """The run's own directory."""
        return Path(self.root_log_dir) / self.run_id

    def checkpoints_at(self, step: int, phase: ActiveLearningPhase) -> bool:
        """Say whether a checkpoint is written before this phase of this step."""
        is_due = self.checkpoint_interval > 0 and step % self.checkpoint_interval == 0
        return is_due and bool(getattr(self, _FLAGS[phase]))

    def with_changes(self, changes: Mapping[str, Any]) -> Self:
        """Return it with other values."""
        return replace(self, **changes)

    def to_json(self) -> str:
        """Return it as JSON, without `dist_manager` and `collate_fn`."""
        written = {f.name: getattr(self, f.name) for f in fields(self)}
        kept = {name: value for name, value in written.items() if name not in _NOT_WRITTEN}
        return json.dumps(kept, indent=2, sort_keys=True, default=str)

    @classmethod
    def from_json(cls, json_str: str, **given: Any) -> Self:  # noqa: ANN401
        """Make it from what `to_json` returned.

        Args:
            json_str: what `to_json` returned.
            given: what it does not hold, and what shall differ.

        Raises:
            UsageError: it is no such JSON, or a value is not allowed.
        """
        try:
            content = dict(json.loads(json_str))
        except (ValueError, TypeError) as error:
            raise UsageError(f"this is no configuration of a driver in JSON: {error}") from error
        names = {f.name for f in fields(cls)}
        if unknown := sorted({*content, *given} - names):
            raise UsageError(
                f"a driver's configuration has no {', '.join(unknown)}; it has "
                f"{', '.join(sorted(names))}"
            )
        if content.get("dtype") is not None:
            content["dtype"] = _dtype(content["dtype"])
        return cls(**{**content, **given})


def _name(run_id: str) -> None:
    if not run_id or Path(run_id).name != run_id:
        raise UsageError(
            f"run_id is {run_id!r}; give a name that can be a directory's, without '/'"
        )


def _whole(config: DriverConfig, name: str, least: int) -> None:
    value = getattr(config, name)
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise UsageError(f"{name} is {value!r}; give a whole number of at least {least}")


def _check_dtype(dtype: object) -> None:
    if dtype is not None and not isinstance(dtype, torch.dtype):
        raise UsageError(f"dtype is {dtype!r}; give one of torch's, such as torch.float32")


def _device(text: str) -> torch.device:
    try:
        return torch.device(text)
    except RuntimeError as error:
        raise UsageError(
            f"device is {text!r}; give one of torch's, such as 'cpu' or 'cuda:0'"
        ) from error


def _dtype(text: str) -> torch.dtype:
    found = getattr(torch, str(text).removeprefix("torch."), None)
    if not isinstance(found, torch.dtype):
        raise UsageError(f"dtype is {text!r}; give one of torch's, such as torch.float32")
    return found
