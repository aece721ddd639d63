"""What a driver adds to a step beside the phases' own work, in process and without a server.

The problem is `examples.moons`: five labels and a checkpoint a step. From a run's wall time the
seconds within the training loop and the strategies are taken, but not those that they wait for a
queue or for what the driver does after an epoch. The rest, over the steps, is the driver's:
queues, labels on disk, checkpoints, what is left of the unlabeled pool, the log. Most of it is
waiting for the disk, so one fsync is told.
"""

import argparse
import logging
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch

from examples.moons import METHODS, driver_of, training_step
from phases.driver import Driver
from surrogates.training_loop import DefaultTrainingLoop

METHOD = next(iter(METHODS))
CLAIM = 25.0
"""Milliseconds a step."""


@dataclass(slots=True)
class Clock:
    """Seconds that were spent in something.

    Attributes:
        phases: within the training loop and the strategies.
        driver: of those, within the driver: its queues, and what it does after an epoch.
    """

    phases: float = 0.0
    driver: float = 0.0


@dataclass(frozen=True, slots=True)
class Measured:
    """Milliseconds a step of one run.

    Attributes:
        wall: all of it.
        phases: within the training loop and the strategies, without what those wait for it.
        called: of the driver's, what training loop and strategies wait for: queues, epochs' ends.
    """

    wall: float
    phases: float
    called: float

    @property
    def own(self) -> float:
        """What the driver adds."""
        return self.wall - self.phases


class TimedLoop(DefaultTrainingLoop):
    """The default training loop, timed."""

    clock: Clock

    def __call__(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as the loop's own
        """Train."""
        after = kwargs.pop("on_epoch_end")
        start = time.perf_counter()
        try:
            return super().__call__(*args, on_epoch_end=self._timed(after), **kwargs)
        finally:
            self.clock.phases += time.perf_counter() - start

    def _timed(self, after: Callable[[int], object]) -> Callable[[int], object]:
        def timed(epoch: int) -> None:
            start = time.perf_counter()
            after(epoch)
            self.clock.driver += time.perf_counter() - start

        return timed


@dataclass(frozen=True, slots=True)
class TimedQueue:
    """A queue whose methods are timed."""

    queue: Any
    clock: Clock

    def put(self, item: object) -> None:
        """Add an item at the end."""
        self._timed(lambda: self.queue.put(item))

    def get(self) -> Any:  # noqa: ANN401 - whatever was put
        """Take the first item."""
        return self._timed(self.queue.get)

    def empty(self) -> bool:
        """Say whether there is nothing to get."""
        return bool(self._timed(self.queue.empty))

    def _timed(self, call: Callable[[], Any]) -> Any:  # noqa: ANN401 - as the call's own
        start = time.perf_counter()
        try:
            return call()
        finally:
            self.clock.driver += time.perf_counter() - start


@dataclass(frozen=True, slots=True)
class TimedStrategy:
    """What a strategy does, timed; the driver's queues are timed within."""

    call: Callable[..., None]
    clock: Clock = field(default_factory=Clock)

    def __call__(self, *queues: Any) -> None:  # noqa: ANN401 - as many as the strategy takes
        """Do it."""
        start = time.perf_counter()
        self.call(*(TimedQueue(queue, self.clock) for queue in queues))
        self.clock.phases += time.perf_counter() - start


def main() -> None:
    """Print the table; exit with 1 where the claim is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help="20 steps, nine runs")
    steps, runs = (20, 9) if parser.parse_args().full else (8, 5)
    torch.set_num_threads(1)
    logging.getLogger("solverloop").addHandler(logging.NullHandler())  # not to the console
    _measured(1)  # what is loaded at first use is loaded
    own = _report([_measured(steps) for _ in range(runs)], steps)
    if own > CLAIM:
        raise SystemExit(f"a step takes {own:.1f} ms beside its phases; claimed: {CLAIM:g}")


def _measured(steps: int) -> Measured:
    clock = Clock()
    with tempfile.TemporaryDirectory() as directory:
        driver = driver_of(METHOD, 0, steps, Path(directory))
        _watch(driver, clock)
        start = time.perf_counter()
        driver.run()
        wall = time.perf_counter() - start
        driver.close()
    ms = 1e3 / steps
    return Measured(ms * wall, ms * (clock.phases - clock.driver), ms * clock.driver)


def _watch(driver: Driver, clock: Clock) -> None:
    """Time the training loop and the strategies of a driver."""
    for name, strategies in (
        ("sample", driver.query_strategies),
        ("label", [driver.label_strategy]),
        ("compute", driver.metrology_strategies),
    ):
        for strategy in strategies:
            setattr(strategy, name, TimedStrategy(getattr(strategy, name), clock))
    loop = TimedLoop(training_step, use_progress_bars=False)
    loop.clock = clock
    assert driver.training_config is not None
    driver.training_config = replace(driver.training_config, train_loop_fn=loop)


def _report(measured: list[Measured], steps: int) -> float:
    """Print medians; return the driver's milliseconds a step."""
    wall, phases, called, own = (
        statistics.median(getattr(each, name) for each in measured)
        for name in ("wall", "phases", "called", "own")
    )
    print(f"two moons, {steps} steps, 1 thread, median of {len(measured)} runs")
    print(f"{'a step':28}{wall:8.1f} ms")
    print(f"{'training and strategies':28}{phases:8.1f} ms")
    print(f"{'the driver':28}{own:8.1f} ms   (claim: at most {CLAIM:g})")
    print(f"{'  in queues, after epochs':28}{called:8.1f} ms")
    print(f"{'one fsync here':28}{_fsync():8.1f} ms")
    return own


def _fsync() -> float:
    """Return the milliseconds of an fsync of a page, the median of 20."""
    seconds = []
    with tempfile.TemporaryFile() as stream:
        for _ in range(20):
            stream.write(b"x" * 4096)
            stream.flush()
            start = time.perf_counter()
            os.fsync(stream.fileno())
            seconds.append(time.perf_counter() - start)
    return 1e3 * statistics.median(seconds)


if __name__ == "__main__":
    main()
