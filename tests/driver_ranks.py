"""A driver on two processes that train together; each writes what it has come to.

python tests/driver_ranks.py SCENARIO RANK DIRECTORY
"""

import json
import logging
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from driver_examples import (
    Error,
    Exact,
    Largest,
    config,
    learner,
    outcome,
    pairs,
    points,
    resumed,
    step,
    strategies,
    training,
    truth,
)
from driver_kills import KeptPool
from torch import distributed, nn

from phases.driver import Driver
from surrogates.training_loop import DefaultTrainingLoop

EPOCHS = {"model_checkpoint_frequency": 1, "reset_optim_states": False}


class Notes:
    """Lines in a file that all ranks write to.

    Args:
        directory: where the file is.
    """

    def __init__(self, directory: Path) -> None:
        self.file = directory / "notes.jsonl"

    def add(self, what: str, content: Any = None) -> None:
        line = {"what": what, "rank": distributed.get_rank(), "content": content}
        with self.file.open("a") as stream:
            stream.write(json.dumps(line) + "\n")


class Noting(Exact):
    """Labels with the truth, and notes each sample."""

    def __init__(self, notes: Notes, breaks: bool = False) -> None:  # noqa: FBT001, FBT002
        super().__init__()
        self.notes, self.breaks = notes, breaks

    def label(self, queue_to_label: Any, serialize_queue: Any) -> None:
        while not queue_to_label.empty():
            x = queue_to_label.get()
            self.notes.add("label", x.tolist())
            serialize_queue.put((x, truth(x)))
            if self.breaks:
                raise RuntimeError("licence lost")


class NotingLargest(Largest):
    """Notes that it was asked."""

    def __init__(self, notes: Notes, breaks: bool = False) -> None:  # noqa: FBT001, FBT002
        super().__init__()
        self.notes, self.breaks = notes, breaks

    def sample(self, query_queue: Any) -> None:
        self.notes.add("query")
        if self.breaks:
            raise RuntimeError("no idea")
        super().sample(query_queue)


class NotingError(Error):
    """Notes that it was asked."""

    def __init__(self, notes: Notes) -> None:
        super().__init__()
        self.notes = notes

    def compute(self) -> None:
        self.notes.add("metrology")
        super().compute()


class Own(nn.Module):
    """A learner with a training step of its own, which its wrapper does not see."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(1)
        self.inner = nn.Linear(2, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.as_tensor(self.inner(x))

    def training_step(self, batch: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
        return step(self, batch)


def given(notes: Notes, *, label: bool = False, query: bool = False) -> dict[str, Any]:
    """Return strategies that note; and those of them that break."""
    return {
        "query_strategies": [NotingLargest(notes, query)],
        "label_strategy": Noting(notes, label),
        "metrology_strategies": [NotingError(notes)],
    }


def noting_training(notes: Notes, **changes: Any) -> Any:
    """Return a training whose batches are noted."""

    def noted(model: nn.Module, batch: Any) -> torch.Tensor:
        notes.add("batch", batch[0].tolist())
        return step(model, batch)

    loop = DefaultTrainingLoop(noted, use_progress_bars=False)
    return training(train_loop_fn=loop, **changes)


def whole(directory: Path) -> Driver:
    """Run to the end."""
    notes = Notes(directory)
    done = Driver(
        config(directory, **EPOCHS), learner(), strategies(**given(notes)), noting_training(notes)
    )
    done.run()
    return done


def again(directory: Path) -> Driver:
    """Go on with what `whole` did, from the middle of a training."""
    notes = Notes(directory)
    done = resumed(
        directory / "run/checkpoints/step_1/training/epoch_2",
        strategies_config_overrides=given(notes),
    )
    done.run()
    return done


def twice(directory: Path) -> Driver:
    """Begin where a run has been."""
    return whole(directory)


def own_step(directory: Path) -> Driver:
    """Train a learner with a step of its own."""
    loop = DefaultTrainingLoop(use_progress_bars=False)
    done = Driver(config(directory), Own(), strategies(), training(train_loop_fn=loop))
    done.run()
    return done


def plateau(directory: Path) -> Driver:
    """Lower the learning rate where the validation stagnates, as it does on one rank alone."""
    from phases.training_config import OptimizerConfig

    optimizer = OptimizerConfig(
        torch.optim.Adam,
        {"lr": 0.2},
        torch.optim.lr_scheduler.ReduceLROnPlateau,
        {"patience": 0, "factor": 0.5},
    )
    loop = DefaultTrainingLoop(step, step, use_progress_bars=False)
    own = training(
        optimizer_config=optimizer,
        max_training_epochs=12,
        train_loop_fn=loop,
        val_datapool=[(x, y if i % 2 else -y) for i, (x, y) in enumerate(pairs(6, seed=8))],
    )
    done = Driver(config(directory, max_active_learning_steps=1), learner(), strategies(), own)
    done.run()
    return done


def exhausted(directory: Path) -> Driver:
    """Go on until nothing is left."""
    few = strategies(unlabeled_datapool=points(5, seed=3))
    done = Driver(config(directory, max_active_learning_steps=None), learner(), few, training())
    done.run()
    return done


def draws(directory: Path) -> Driver:
    """Note what is drawn in each training step."""
    notes = Notes(directory)

    def noted(model: nn.Module, batch: Any) -> torch.Tensor:
        notes.add("draw", torch.rand(1).item())
        return step(model, batch)

    loop = DefaultTrainingLoop(noted, use_progress_bars=False)
    done = Driver(config(directory), learner(), strategies(), training(train_loop_fn=loop))
    done.run()
    return done


def shared_pool(directory: Path) -> Driver:
    """Append to a pool on disk that both ranks look at."""
    file = directory / "pool.jsonl"
    if distributed.get_rank() == 0:
        KeptPool(file, pairs())
    distributed.barrier()
    kept = training(train_datapool=KeptPool(file, pairs()))
    done = Driver(config(directory), learner(), strategies(), kept)
    done.run()
    return done


def shared_pool_again(directory: Path) -> Driver:
    """Go on with what `shared_pool` did, with the pool as it was at the beginning."""
    file = directory / "pool.jsonl"
    distributed.barrier()  # both have told how `shared_pool` ended
    if distributed.get_rank() == 0:
        file.unlink()
        KeptPool(file, pairs())
    distributed.barrier()
    done = resumed(
        directory / "run/checkpoints/step_2/labeling", train_datapool=KeptPool(file, pairs())
    )
    done.run()
    return done


def lbfgs(directory: Path) -> Driver:
    """Train with an optimizer that computes the loss as often as it likes."""
    from phases.training_config import OptimizerConfig

    searching = OptimizerConfig(torch.optim.LBFGS, {"lr": 0.5, "line_search_fn": "strong_wolfe"})
    own = training(optimizer_config=searching)
    done = Driver(config(directory), learner(), strategies(), own)
    done.run()
    return done


def broken(**which: bool) -> Callable[[Path], Driver]:
    """Return what breaks on the first rank."""

    def run(directory: Path) -> Driver:
        notes = Notes(directory)
        done = Driver(
            config(directory), learner(), strategies(**given(notes, **which)), training()
        )
        done.run()
        return done

    return run


SCENARIOS: Mapping[str, Callable[[Path], Driver]] = {
    "whole": whole,
    "again": again,
    "twice": twice,
    "own_step": own_step,
    "plateau": plateau,
    "exhausted": exhausted,
    "draws": draws,
    "shared_pool": shared_pool,
    "shared_pool_again": shared_pool_again,
    "lbfgs": lbfgs,
    "broken_label": broken(label=True),
    "broken_query": broken(query=True),
}


PLACES = {"again": "whole", "twice": "whole", "shared_pool_again": "shared_pool"}
"""Where a scenario goes on with what another one did."""


def rate_of(done: Driver) -> float:
    """Return the learning rate at the end."""
    assert done.optimizer is not None
    return float(done.optimizer.param_groups[0]["lr"])


def main() -> None:
    """Run scenarios, one after the other, and write for each how it went."""
    names, rank, directory = sys.argv[1].split(","), int(sys.argv[2]), Path(sys.argv[3])
    torch.set_num_threads(1)
    logging.getLogger("solverloop").addHandler(logging.NullHandler())
    distributed.init_process_group(
        "gloo", init_method=f"file://{directory / 'meeting'}", rank=rank, world_size=2
    )
    for name in names:
        place = directory / PLACES.get(name, name)
        place.mkdir(exist_ok=True)
        try:
            done = SCENARIOS[name](place)
            found = outcome(done) | {"stopped": done.stopped, "rate": rate_of(done)}
        except Exception as error:  # noqa: BLE001 - it is what the test looks at
            found = {"error": f"{type(error).__name__}: {error}"}
        (directory / f"{name}-{rank}.json").write_text(json.dumps(found))
    distributed.destroy_process_group()


if __name__ == "__main__":
    main()
