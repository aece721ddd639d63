"""The default training loop against a loop written by hand, on the same model and batches.

Both take the same optimizer steps on one thread, over a data loader whose last batch of an epoch
is smaller, and both tell each epoch's mean loss; the weights that they end with are equal to the
bit. So the ratio is of what the loop adds: casting, checks, progress, history.
"""

import argparse
import statistics
import time
from collections.abc import Callable

import torch
from torch import Generator, Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from surrogates.training_loop import DefaultTrainingLoop

TARGET = 1.05
SAMPLES, INPUTS, OUTPUTS, BATCH, WIDTH = 1000, 5, 27, 64, 64  # the last batch has 40 samples

Batch = list[Tensor]  # inputs (b, d) and targets (b, outputs)
Training = Callable[[nn.Module, torch.optim.Optimizer, "DataLoader[Batch]", int], list[float]]


def main() -> None:
    """Print the table; exit with 1 where the target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help="five times the rounds")
    rounds = 200 if parser.parse_args().full else 40
    torch.set_num_threads(1)
    epochs = 10
    for training in (_loop, _by_hand):  # what is loaded at first use is loaded
        _run(training, 1)
    pairs = [  # alternating, so that both see the same moods of the machine
        _pair(epochs, swapped=bool(n % 2)) for n in range(rounds)
    ]
    ratio = _report(pairs, epochs)
    if ratio > TARGET:
        raise SystemExit(f"the loop takes {ratio:.3f} times as long; at most {TARGET} is promised")


def step(model: nn.Module, batch: Batch) -> Tensor:
    """Return the mean squared error of a batch."""
    return nn.functional.mse_loss(model(batch[0]), batch[1])


def _pair(epochs: int, *, swapped: bool) -> tuple[float, float]:
    """Time both, one after the other; return seconds of the loop and of the one by hand."""
    order = (_by_hand, _loop) if swapped else (_loop, _by_hand)
    seconds, ends = {}, []
    for training in order:
        seconds[training], end = _run(training, epochs)
        ends.append(end)
    assert ends[0] == ends[1], "the two loops do not train the same"
    return seconds[_loop], seconds[_by_hand]


def _run(training: Training, epochs: int) -> tuple[float, list[float]]:
    """Return the seconds of a training, and the losses followed by the weights."""
    torch.manual_seed(0)
    model = _network()
    optimizer = torch.optim.AdamW(model.parameters(), fused=True)
    generator = Generator().manual_seed(0)
    inputs = torch.rand(SAMPLES, INPUTS, generator=generator)
    data = TensorDataset(inputs, inputs.sum(1, keepdim=True).sin().expand(-1, OUTPUTS))
    loader = DataLoader(data, BATCH, shuffle=True, generator=generator)
    start = time.process_time()  # on one thread: what other processes take does not count
    losses = training(model, optimizer, loader, epochs)
    seconds = time.process_time() - start
    return seconds, losses + torch.cat([p.detach().flatten() for p in model.parameters()]).tolist()


def _loop(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    loader: "DataLoader[Batch]",
    epochs: int,
) -> list[float]:
    return list(DefaultTrainingLoop(step)(model, optimizer, loader, epochs).losses)


def _by_hand(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    loader: "DataLoader[Batch]",
    epochs: int,
) -> list[float]:
    """Train as anyone would who knows that `item()` in a loop is slow."""
    losses = []
    for _ in range(epochs):
        model.train()
        total = torch.zeros(())
        for batch in loader:
            optimizer.zero_grad()
            loss = step(model, batch)
            loss.backward()
            optimizer.step()
            total += loss.detach()
        losses.append(float(total) / len(loader))
    return losses


def _network() -> nn.Module:
    return nn.Sequential(
        nn.Linear(INPUTS, WIDTH),
        nn.SiLU(),
        nn.Linear(WIDTH, WIDTH),
        nn.SiLU(),
        nn.Linear(WIDTH, WIDTH),
        nn.SiLU(),
        nn.Linear(WIDTH, OUTPUTS),
    )


def _report(pairs: list[tuple[float, float]], epochs: int) -> float:
    """Print medians; return the median over rounds of the ratio."""
    loop, by_hand = (statistics.median(column) for column in zip(*pairs, strict=True))
    ratio = statistics.median(own / other for own, other in pairs)
    batches = epochs * -(-SAMPLES // BATCH)
    print(
        f"4 layers of {WIDTH}, batches of {BATCH} and {SAMPLES % BATCH}, {batches} steps, "
        f"1 thread, median of {len(pairs)}"
    )
    print(f"{'by hand':28}{by_hand:8.3f} s{1e6 * by_hand / batches:8.0f} us/step")
    print(f"{'DefaultTrainingLoop':28}{loop:8.3f} s{1e6 * loop / batches:8.0f} us/step")
    print(f"{'ratio':28}{ratio:8.3f}   (target: at most {TARGET})")
    return ratio


if __name__ == "__main__":
    main()
