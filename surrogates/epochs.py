"""One epoch: the training batches, then the validation batches."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Any

import torch
from torch import Tensor
from tqdm import tqdm

from pools.errors import UsageError
from surrogates.casting import cast
from surrogates.precision import Precision
from surrogates.step_functions import reported
from surrogates.training_length import batches_in


@dataclass(frozen=True, slots=True)
class Epochs:
    """What is done in every epoch of a training.

    Attributes:
        model: what is trained.
        update: trains on a batch and returns its loss.
        validation: looks at a batch, and may return a number; None for no validation.
        precision: where and in what the batches are computed.
        bar: counts the batches.
    """

    model: Any
    update: Callable[[Any], Tensor | float]
    validation: Callable[[Any], object] | None
    precision: Precision
    bar: "tqdm[None]"

    def train(self, loader: Iterable[Any], epoch: int, limit: int | None) -> tuple[float, int]:
        """Train on the loader's batches.

        Args:
            loader: the batches; a sampler with `set_epoch` is told the epoch.
            epoch: number of the epoch.
            limit: at most so many batches; None for all.

        Returns:
            The mean loss over the batches, and their number.

        Raises:
            UsageError: there was no batch.
        """
        announce(loader, epoch)
        self.model.train()
        total: Tensor | float = torch.zeros((), device=self.precision.device)
        steps = 0
        self.bar.reset(_fewer(batches_in(loader), limit))
        for batch in self._batches(loader, limit):
            total = total + self.update(batch)  # no `item()`: that would wait for the device
            steps += 1
            if self.bar.update():  # it was drawn, which is seldom
                self.bar.set_postfix(loss=float(total) / steps, refresh=False)
        if steps == 0:
            raise UsageError(
                f"train_dataloader, of type {type(loader).__qualname__}, gave no batch in epoch "
                f"{epoch}; give one with samples that can be walked anew every epoch, such as a "
                "DataLoader or a list (a generator can be walked once, and drop_last drops a last "
                "batch that is too small)"
            )
        return float(total) / steps, steps

    def validate(self, loader: Iterable[Any] | None, limit: int | None) -> float | None:
        """Return the mean of what the validation returned for at most `limit` batches, if any."""
        if loader is None or self.validation is None:
            return None
        with _evaluating(self.model), torch.no_grad():
            returned = [reported(self.validation(b)) for b in self._batches(loader, limit)]
        numbers = [number for number in returned if number is not None]
        return float(sum(numbers)) / len(numbers) if numbers else None

    def _batches(self, loader: Iterable[Any], limit: int | None) -> Iterator[Any]:
        device, dtype = self.precision.device, self.precision.dtype
        return (cast(batch, device, dtype) for batch in islice(loader, limit))


def announce(loader: Any, epoch: int) -> None:  # noqa: ANN401 - anything that gives batches
    """Tell the epoch to whoever shuffles by it: the loader or a sampler with `set_epoch`."""
    batches = getattr(loader, "batch_sampler", None)
    samplers = getattr(loader, "sampler", None), getattr(batches, "sampler", None)
    for part in {id(part): part for part in (loader, batches, *samplers)}.values():
        if callable(tell := getattr(part, "set_epoch", None)):
            tell(epoch)


@contextmanager
def _evaluating(model: Any) -> Iterator[None]:  # noqa: ANN401 - a module or a learner
    model.eval()
    try:
        yield
    finally:
        model.train()


def _fewer(batches: int | None, limit: int | None) -> int | None:
    return min((n for n in (batches, limit) if n is not None), default=None)
