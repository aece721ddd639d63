"""Drivers killed at fixed places and run again, each run in a fork of one process.

    python tests/driver_kills.py CASES.json DIRECTORY

Loading torch takes longer than a run, so it is loaded once, by a process that trains nothing
itself. For each case it forks a run for every place where one is killed, and a last one that runs
to its end and writes what it has come to.
"""

import functools
import importlib
import json
import logging
import os
import queue
import signal
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
import torch._dynamo  # an optimizer loads it, which takes a second
from driver_examples import Exact, config, learner, outcome, resumed, strategies, training, truth

from phases.driver import Driver
from pools.durable_queue import DurableQueue
from surrogates.manifest import MANIFEST

Place = Sequence[Any]
"""Module, function or method in it, and the number of the call before which it is killed."""

QUEUES = {"durable": DurableQueue, "queue": queue.Queue}


class Counting(Exact):
    """Labels with the truth, and writes down what it labels.

    Args:
        file: where.
    """

    def __init__(self, file: str) -> None:
        super().__init__()
        self.file = file

    def label(self, queue_to_label: Any, serialize_queue: Any) -> None:
        while not queue_to_label.empty():
            x = queue_to_label.get()
            self.solve()
            with Path(self.file).open("a") as stream:
                stream.write(f"{x.tolist()}\n")
            serialize_queue.put((x, truth(x)))
            self.done()

    def solve(self) -> None:
        """Be killed here, between get and put."""

    def done(self) -> None:
        """Be killed here, after put."""


class KeptPool:
    """A training pool that keeps itself in a file of lines.

    Args:
        file: where.
        initial: what it holds at first.
    """

    def __init__(self, file: Path, initial: Sequence[Any]) -> None:
        self.file = file
        if not file.exists():
            for item in initial:
                self.append(item)

    def append(self, item: Any) -> None:
        with self.file.open("a") as stream:
            stream.write(json.dumps([part.tolist() for part in item]) + "\n")

    def __len__(self) -> int:
        return len(self._lines())

    def __getitem__(self, index: int) -> tuple[torch.Tensor, ...]:
        return tuple(torch.tensor(part) for part in json.loads(self._lines()[index]))

    def _lines(self) -> list[str]:
        return self.file.read_text().splitlines()


class Pool(list[Any]):
    """A list whose `append` can be watched."""

    def append(self, item: Any) -> None:
        super().append(item)


def driver_of(case: Mapping[str, Any], directory: Path) -> Driver:
    """Return the driver of a case: a new one, or one that goes on from the newest checkpoint."""
    own = training()
    pool: Any = Pool(own.train_datapool)
    if case["pool"] == "kept":
        directory.mkdir(exist_ok=True)
        pool = KeptPool(directory / "pool.txt", own.train_datapool)
    label = Counting(str(directory / "labelled.txt"))
    run = config(directory, **case["flags"])
    if any((run.log_dir / "checkpoints").rglob(MANIFEST)):
        return resumed(
            run.log_dir,
            train_datapool=pool,
            strategies_config_overrides={"label_strategy": label},
        )
    return Driver(
        run,
        learner(),
        strategies(label_strategy=label, queue_cls=QUEUES[case["queue"]]),
        training(train_datapool=pool),
    )


def watch(place: Place) -> None:
    """Be killed just before a call of a function or a method."""
    module, dotted, last = place
    *within, name = dotted.split(".")
    owner: Any = functools.reduce(getattr, within, importlib.import_module(module))
    original, calls = getattr(owner, name), 0

    @functools.wraps(original)
    def killed(*args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == last:
            os.kill(os.getpid(), signal.SIGKILL)
        return original(*args, **kwargs)

    setattr(owner, name, killed)


def run(case: Mapping[str, Any], directory: Path, place: Place | None) -> None:
    """Run a case until it is killed, or to its end."""
    if place is not None:
        watch(place)
    driver = driver_of(case, directory)
    driver.run()
    file = directory / "labelled.txt"
    come_to = outcome(driver) | {"labelled": file.read_text().splitlines()}
    (directory / "outcome.json").write_text(json.dumps(come_to))


def forked(work: Callable[[], None]) -> int:
    """Do something in a fork; return its exit code, negative for a signal."""
    if child := os.fork():
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    try:
        work()
    except BaseException:  # noqa: BLE001 - a fork must not go on as its parent
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def main() -> None:
    cases, directory = json.loads(Path(sys.argv[1]).read_text()), Path(sys.argv[2])
    torch.set_num_threads(1)
    logging.getLogger("solverloop").addHandler(logging.NullHandler())
    for name, case in cases.items():
        place = directory / name
        codes = [
            forked(functools.partial(run, case, place, killed))
            for killed in [*case["kills"], None]
        ]
        (place / "codes.json").write_text(json.dumps(codes))


if __name__ == "__main__":
    main()
