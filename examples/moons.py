"""Two moons: active learning of a classifier with the documented API, beside a random baseline.

    python -m examples.moons                    # 10 seeds, 20 steps; prints a table, writes a plot
    python -m examples.moons --seeds 3 --steps 5 --plot moons.png

Points of two interleaved half circles, one with 70 % of them, are to be told apart. Learning
begins with 10 labelled points and asks for 5 a step: those whose predicted probability is closest
to one half, any, or 3 and 2 of them. F1 is measured on 2,000 points that are never learnt from.
"""

import argparse
import logging
import tempfile
from collections.abc import Callable
from pathlib import Path

import matplotlib as mpl
import numpy as np
import torch
from torch import Tensor, nn

from phases.driver import Driver
from phases.driver_config import DriverConfig
from phases.strategies_config import StrategiesConfig
from phases.training_config import OptimizerConfig, TrainingConfig
from pools.queue_content import fill
from strategies.protocols import AbstractQueue, LabelStrategy, MetrologyStrategy, QueryStrategy
from surrogates.training_loop import DefaultTrainingLoop

INITIAL, CANDIDATES, HELD_OUT = 10, 1000, 2000
NOISE = 0.1
MORE = 0.7  # share of the points on the outer moon

Point = tuple[Tensor, Tensor]


def moons(n: int, seed: int) -> list[Point]:
    """Return `n` points (2,) with their class: 0 on the outer moon, 1 on the inner one."""
    rng = np.random.default_rng(seed)
    inner = (rng.random(n) > MORE).astype(np.float32)
    angle = np.pi * rng.random(n)
    x = np.where(inner, 1 - np.cos(angle), np.cos(angle))
    y = np.where(inner, 0.5 - np.sin(angle), np.sin(angle))
    points = np.column_stack([x, y]) + NOISE * rng.standard_normal((n, 2))
    rows = torch.from_numpy(points.astype(np.float32))
    return list(zip(rows, torch.from_numpy(inner), strict=True))


def mlp(seed: int) -> nn.Sequential:
    """Return a small classifier, points (n, 2) to logits (n, 1)."""
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Linear(2, 32), nn.SiLU(), nn.Linear(32, 32), nn.SiLU(), nn.Linear(32, 1)
    )


def training_step(model: nn.Module, batch: Point) -> Tensor:
    """Return the loss of a batch: the documented `TrainingProtocol`."""
    x, y = batch
    return nn.functional.binary_cross_entropy_with_logits(model(x).squeeze(-1), y)


class MostUncertain(QueryStrategy):
    """Asks for the points whose predicted probability is closest to one half."""

    __protocol_name__ = "most-uncertain"

    def __init__(self, max_samples: int) -> None:
        self.max_samples = max_samples

    def sample(self, query_queue: AbstractQueue[Point]) -> None:
        pool = self.driver.unlabeled_pool
        logits = self.driver.predict(torch.stack([x for x, _ in pool])).squeeze(-1)
        chosen = logits.abs().argsort()[: self.max_samples]
        fill(query_queue, [pool[i] for i in chosen.tolist()])


class Anyone(QueryStrategy):
    """Asks for points at random: the baseline."""

    __protocol_name__ = "random"

    def __init__(self, max_samples: int) -> None:
        self.max_samples = max_samples

    def sample(self, query_queue: AbstractQueue[Point]) -> None:
        pool = self.driver.unlabeled_pool
        chosen = torch.randperm(len(pool))[: self.max_samples]
        fill(query_queue, [pool[i] for i in chosen.tolist()])


class PassThrough(LabelStrategy):
    """The points of this example have their labels already."""

    __protocol_name__ = "pass-through"
    __is_external_process__ = False

    def label(
        self, queue_to_label: AbstractQueue[Point], serialize_queue: AbstractQueue[Point]
    ) -> None:
        while not queue_to_label.empty():
            serialize_queue.put(queue_to_label.get())


class F1(MetrologyStrategy):
    """Precision, recall and F1 of the inner moon, on points that are never learnt from."""

    __protocol_name__ = "f1"

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.records = []
        points = moons(HELD_OUT, seed)
        self._x = torch.stack([x for x, _ in points])
        self._y = torch.stack([y for _, y in points]).bool()

    def compute(self) -> None:
        found = self.driver.predict(self._x).squeeze(-1) > 0
        hits = int((found & self._y).sum())
        precision = hits / max(int(found.sum()), 1)
        recall = hits / int(self._y.sum())
        f1 = 2 * precision * recall / max(precision + recall, 1e-12)
        labelled = len(self.driver.training_pool)
        self.append({"labelled": labelled, "precision": precision, "recall": recall, "f1": f1})


METHODS: dict[str, Callable[[], list[QueryStrategy]]] = {
    "most uncertain": lambda: [MostUncertain(5)],
    "uncertain and random": lambda: [MostUncertain(3), Anyone(2)],
    "random": lambda: [Anyone(5)],
}


def driver_of(method: str, seed: int, steps: int, directory: Path) -> Driver:
    """Return the driver of one run."""
    return Driver(
        DriverConfig(
            batch_size=16,
            max_active_learning_steps=steps,
            run_id=f"{method.replace(' ', '-')}-{seed}",
            root_log_dir=directory,
            seed=seed,
        ),
        mlp(seed),
        StrategiesConfig(
            query_strategies=METHODS[method](),
            label_strategy=PassThrough(),
            metrology_strategies=[F1(seed=10_000 + seed)],
            unlabeled_datapool=moons(CANDIDATES, seed=20_000 + seed),
        ),
        TrainingConfig(
            train_datapool=moons(INITIAL, seed),
            max_training_epochs=100,
            max_fine_tuning_epochs=100,
            optimizer_config=OptimizerConfig(torch.optim.AdamW, {"lr": 0.01}),
            train_loop_fn=DefaultTrainingLoop(training_step, use_progress_bars=False),
        ),
    )


def scores(method: str, seed: int, steps: int) -> list[float]:
    """Return F1 after each step of one run, from the initial points on."""
    with tempfile.TemporaryDirectory() as directory:
        driver = driver_of(method, seed, steps, Path(directory))
        driver.run()
        driver.close()
    return [record["f1"] for record in driver.metrology_strategies[0].records]


def main() -> None:
    """Run both for every seed; print the table and draw the curves."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--plot", type=Path, default=Path("moons.png"))
    options = parser.parse_args()
    torch.set_num_threads(1)
    logging.getLogger("solverloop").addHandler(logging.NullHandler())  # each run has its log
    seeds = range(options.seeds)
    found = {
        method: np.array([scores(method, seed, options.steps) for seed in seeds])
        for method in METHODS
    }
    labelled = INITIAL + 5 * np.arange(options.steps + 1)
    print(f"F1 on {HELD_OUT} held-out points, mean of {options.seeds} seeds and its 95 % interval")
    print("labelled  " + "  ".join(f"{name:>22}" for name in found))
    for i, count in enumerate(labelled):
        print(f"{count:8}  " + "  ".join(f"{_interval(f1[:, i]):>22}" for f1 in found.values()))
    for method in ("most uncertain", "uncertain and random"):
        gain = found[method].mean(axis=1) - found["random"].mean(axis=1)
        print(f"mean over the steps, {method} minus random: {_interval(gain)}")
    _draw(options.plot, labelled, found)


def _bounds(values: np.ndarray) -> tuple[float, float, float]:
    """Return the mean over seeds and its 95 % bootstrap interval."""
    rng = np.random.default_rng(0)
    means = rng.choice(values, (2000, len(values))).mean(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return float(values.mean()), float(low), float(high)


def _interval(values: np.ndarray) -> str:
    mean, low, high = _bounds(values)
    return f"{mean:.3f} [{low:.3f}, {high:.3f}]"


def _draw(file: Path, labelled: np.ndarray, found: dict[str, np.ndarray]) -> None:
    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(6, 4), layout="constrained")
    for name, f1 in found.items():
        mean, low, high = np.array([_bounds(column) for column in f1.T]).T
        (line,) = axes.plot(labelled, mean, marker="o", label=name)
        axes.fill_between(labelled, low, high, alpha=0.2, color=line.get_color())
    axes.set(xlabel="labelled points", ylabel="F1 on held-out points")
    axes.legend()
    figure.savefig(file, dpi=120)
    print(f"look at {file}")


if __name__ == "__main__":
    main()
