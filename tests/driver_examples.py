"""Small drivers around a linear learner: quick, deterministic, and picklable by nobody."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from phases.driver import Driver
from phases.driver_config import DriverConfig
from phases.strategies_config import StrategiesConfig
from phases.training_config import OptimizerConfig, TrainingConfig
from strategies.protocols import AbstractQueue
from surrogates.training_loop import DefaultTrainingLoop

Pair = tuple[Tensor, Tensor]


def truth(x: Tensor) -> Tensor:
    """Return what the learner is to learn, shape (1,)."""
    return (3 * x[:1] - x[1:] + 0.5).detach()


def points(n: int, seed: int) -> list[Tensor]:
    """Return n points, each of shape (2,)."""
    return list(torch.rand(n, 2, generator=torch.Generator().manual_seed(seed)))


def step(model: nn.Module, batch: Pair) -> Tensor:
    """Return the mean squared error of a batch."""
    x, y = batch
    return nn.functional.mse_loss(model(x), y)


def learner() -> nn.Module:
    """Return a learner, always the same, with a dropout that draws at random."""
    torch.manual_seed(1)
    return nn.Sequential(nn.Linear(2, 8), nn.Dropout(0.1), nn.Tanh(), nn.Linear(8, 1))


class Largest:
    """Asks for the points of largest prediction; some at random, from a generator of its own."""

    def __init__(self, max_samples: int = 3) -> None:
        self.max_samples = max_samples
        self.rng = torch.Generator().manual_seed(5)

    def attach(self, driver: Driver) -> None:
        self.driver = driver

    def sample(self, query_queue: AbstractQueue[Tensor]) -> None:
        pool = self.driver.unlabeled_pool
        values = self.driver.predict(torch.stack(list(pool))).squeeze(-1)
        noise = torch.rand(len(values), generator=self.rng) + torch.rand(len(values))
        for index in (values + 0.1 * noise).argsort(descending=True)[: self.max_samples].tolist():
            query_queue.put(pool[index])


class Exact:
    """Labels with the truth; counts what it was asked."""

    def __init__(self) -> None:
        self.asked: list[Tensor] = []

    def label(
        self, queue_to_label: AbstractQueue[Tensor], serialize_queue: AbstractQueue[Pair]
    ) -> None:
        while not queue_to_label.empty():
            x = queue_to_label.get()
            self.asked.append(x)
            serialize_queue.put((x, truth(x)))


class Error:
    """Measures the mean squared error on fixed points."""

    def __init__(self) -> None:
        self.records: list[dict[str, float]] = []

    def attach(self, driver: Driver) -> None:
        self.driver = driver

    def compute(self) -> None:
        x = torch.stack(points(50, seed=99))
        error = nn.functional.mse_loss(self.driver.predict(x), torch.stack([truth(p) for p in x]))
        self.records.append({"step": self.driver.active_learning_step_idx, "error": float(error)})


def pairs(n: int = 6, seed: int = 7) -> list[Pair]:
    """Return a training pool, as it is at the beginning."""
    return [(x, truth(x)) for x in points(n, seed)]


def strategies(**given: Any) -> StrategiesConfig:
    """Return strategies; `given` replaces some."""
    own: dict[str, Any] = {
        "query_strategies": [Largest()],
        "label_strategy": Exact(),
        "metrology_strategies": [Error()],
        "unlabeled_datapool": points(40, seed=3),
    }
    return StrategiesConfig(**{**own, **given})


def training(**given: Any) -> TrainingConfig:
    """Return a training of a few epochs; `given` replaces some."""
    own: dict[str, Any] = {
        "train_datapool": pairs(),
        "max_training_epochs": 4,
        "max_fine_tuning_epochs": 3,
        "optimizer_config": OptimizerConfig(torch.optim.Adam, {"lr": 0.02}),
        "train_loop_fn": DefaultTrainingLoop(step, use_progress_bars=False),
    }
    return TrainingConfig(**{**own, **given})


def config(directory: Path, **given: Any) -> DriverConfig:
    """Return a configuration of three steps; `given` replaces some."""
    own: dict[str, Any] = {
        "batch_size": 4,
        "max_active_learning_steps": 3,
        "run_id": "run",
        "root_log_dir": directory,
        "seed": 11,
    }
    return DriverConfig(**{**own, **given})


def driver(directory: Path, **given: Any) -> Driver:
    """Return a driver; `given` are fields of its configuration."""
    return Driver(config(directory, **given), learner(), strategies(), training())


def resumed(checkpoint: Path, **given: Any) -> Driver:
    """Return a driver of new objects that goes on from a checkpoint."""
    own: dict[str, Any] = {
        "learner": learner(),
        "train_datapool": pairs(),
        "unlabeled_datapool": points(40, seed=3),
        "training_config_overrides": {"train_loop_fn": training().train_loop_fn},
    }
    return Driver.load_checkpoint(checkpoint, **{**own, **given})


def outcome(done: Driver) -> dict[str, Any]:
    """Return what a run has come to: weights, pool, records, to the bit."""
    return {
        "weights": {name: value.tolist() for name, value in done.learner.state_dict().items()},
        "pool": [[x.tolist(), y.tolist()] for x, y in done.training_pool],
        "records": done.metrology_strategies[0].records,
        "step": done.active_learning_step_idx,
    }


Killing = Callable[[], None]
