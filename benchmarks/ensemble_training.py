"""Training five networks at once, as batched matrix products, against one after the other.

Both take the same optimizer steps with the same optimizer on one thread, so that the ratio is of
the overhead alone.
"""

import argparse
import statistics
import time
from collections.abc import Callable

import torch
from torch import Generator, Tensor

from surrogates.ensemble import initialise, orders, train
from surrogates.settings import EnsembleSettings, Schedule

TARGET = 2.5
SAMPLES, INPUTS, OUTPUTS = 256, 5, 27

Data = tuple[Tensor, Tensor]  # inputs (m, d) and targets (m, outputs)


def main() -> None:
    """Print the table; exit with 1 where the target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help="ten times the steps")
    full = parser.parse_args().full
    torch.set_num_threads(1)
    steps = 3000 if full else 300
    settings = EnsembleSettings(members=5, width=64, batch_size=64)
    schedule = Schedule(kind="cosine", start=1e-3, end=1e-6, length=steps)
    generator = Generator().manual_seed(0)
    data = _draw(INPUTS, generator), _draw(OUTPUTS, generator)
    pairs = [  # alternating, so that both see the same moods of the machine
        (_seconds(_batched, data, settings, schedule), _seconds(_loop, data, settings, schedule))
        for _ in range(5)
    ]
    ratio = _report(pairs, steps)
    if ratio < TARGET:
        raise SystemExit(f"batched training is {ratio:.2f} times faster; {TARGET} is promised")


def _report(pairs: list[tuple[float, float]], steps: int) -> float:
    """Print medians; return the median over runs of the ratio."""
    batched, loop = (statistics.median(column) for column in zip(*pairs, strict=True))
    ratio = statistics.median(slow / fast for fast, slow in pairs)
    print(f"5 members, 3 layers of 64, batch 64, {steps} steps, 1 thread, median of {len(pairs)}")
    print(f"{'one member after the other':28}{loop:8.2f} s{1e3 * loop / steps:8.2f} ms/step")
    print(f"{'batched':28}{batched:8.2f} s{1e3 * batched / steps:8.2f} ms/step")
    print(f"{'ratio':28}{ratio:8.2f}   (target: at least {TARGET})")
    return ratio


def _draw(columns: int, generator: Generator) -> Tensor:
    return torch.rand(SAMPLES, columns, generator=generator)


def _seconds(
    run: Callable[[Data, EnsembleSettings, Schedule], None],
    data: Data,
    settings: EnsembleSettings,
    schedule: Schedule,
) -> float:
    start = time.perf_counter()
    run(data, settings, schedule)
    return time.perf_counter() - start


def _batched(data: Data, settings: EnsembleSettings, schedule: Schedule) -> None:
    generator = Generator().manual_seed(0)
    network = initialise(INPUTS, OUTPUTS, settings, generator)
    train(network, data, settings, schedule, generator)


def _loop(data: Data, settings: EnsembleSettings, schedule: Schedule) -> None:
    for member in range(settings.members):
        _one(data, settings, schedule, Generator().manual_seed(member))


def _one(data: Data, settings: EnsembleSettings, schedule: Schedule, generator: Generator) -> None:
    """Train one member as anyone would, with the same schedule and order of samples."""
    inputs, targets = data
    network = _ordinary(settings)
    optimizer = torch.optim.AdamW(network.parameters(), weight_decay=0.01, fused=True)
    batches = orders(1, len(inputs), settings.batch_size, generator)
    for step in range(schedule.length):
        for group in optimizer.param_groups:
            group["lr"] = schedule.rate(step / schedule.length)
        rows = next(batches)[0]
        loss = (network(inputs[rows]) - targets[rows]).square().sum(-1).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def _ordinary(settings: EnsembleSettings) -> torch.nn.Sequential:
    layers: list[torch.nn.Module] = []
    size = INPUTS
    for _ in range(settings.depth):
        layers += [torch.nn.Linear(size, settings.width), torch.nn.SiLU()]
        size = settings.width
    return torch.nn.Sequential(*layers, torch.nn.Linear(size, OUTPUTS))


if __name__ == "__main__":
    main()
