"""How long a training goes on."""

from dataclasses import dataclass
from operator import length_hint
from typing import Any

from pools.errors import UsageError


@dataclass(frozen=True, slots=True)
class Length:
    """The end of a training, by epochs or by batches.

    Attributes:
        epochs: number of the last epoch, counted from 1; None where batches count.
        batches: batches in all, over as many epochs as that takes; None where epochs count.
        before: batches before this call: those of the epochs before the first one.
    """

    epochs: int | None
    batches: int | None
    before: int = 0

    def goes_on(self, epoch: int, batches: int) -> bool:
        """Say whether an epoch begins after so many batches of this call."""
        if self.epochs is not None:
            return epoch <= self.epochs
        return self.left(batches) != 0

    def left(self, batches: int) -> int | None:
        """Return how many batches are left after so many of this call; None for no bound."""
        return None if self.batches is None else max(self.batches - self.before - batches, 0)


def length_of(
    max_epochs: int | None,
    max_train_steps: int | None,
    first_epoch: int,
    loader: Any,  # noqa: ANN401 - anything that gives batches
) -> Length:
    """Return the length that the arguments of a loop ask for.

    Raises:
        UsageError: none, both or no positive one is given; or it cannot be said how many batches
            came before the first epoch.
    """
    if (max_epochs is None) == (max_train_steps is None):
        raise UsageError(
            f"max_epochs is {max_epochs} and max_train_steps is {max_train_steps}; give exactly "
            "one of them, such as max_epochs=10"
        )
    named = {
        "max_epochs": max_epochs,
        "max_train_steps": max_train_steps,
        "first_epoch": first_epoch,
    }
    for name, value in named.items():
        if value is not None and value < 1:
            raise UsageError(f"{name} is {value}; give at least 1")
    if max_train_steps is None or first_epoch == 1:
        return Length(max_epochs, max_train_steps)
    if not (epoch := batches_in(loader)):
        raise UsageError(
            f"first_epoch is {first_epoch} with max_train_steps, but a train_dataloader of type "
            f"{type(loader).__qualname__} does not tell how many batches an epoch has; give "
            "max_epochs, or a loader with a length"
        )
    return Length(None, max_train_steps, (first_epoch - 1) * epoch)


def batches_in(loader: Any) -> int | None:  # noqa: ANN401 - anything that gives batches
    """Return how many batches an epoch has; None where the loader does not tell."""
    return length_hint(loader) or None
