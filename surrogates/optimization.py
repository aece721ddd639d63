"""One batch, one step of the optimizer: the backward pass and what follows it."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.optim import Optimizer

from surrogates.step_functions import TrainingStep, loss_of, reported

Update = Callable[..., Tensor | float]
"""Called with a batch; trains on it and returns its loss."""


def update_of(
    step: TrainingStep, optimizer: Optimizer, scaler: torch.amp.GradScaler | None = None
) -> Update:
    """Return what trains on a batch.

    Args:
        step: returns the batch's loss, or moves the weights itself.
        optimizer: stepped once a batch, unless the step moves the weights itself.
        scaler: of the loss, for float16.
    """
    if step.steps_itself:
        return _own(step)
    return _plain(step, optimizer) if scaler is None else _scaled(step, optimizer, scaler)


def _plain(step: TrainingStep, optimizer: Optimizer) -> Update:
    def update(*args: object, **kwargs: object) -> Tensor:
        optimizer.zero_grad()
        loss = loss_of(step.call(*args, **kwargs), step)
        loss.backward()  # type: ignore[no-untyped-call]  # torch does not annotate it
        optimizer.step()
        return loss.detach()

    return update


def _scaled(step: TrainingStep, optimizer: Optimizer, scaler: torch.amp.GradScaler) -> Update:
    def update(*args: object, **kwargs: object) -> Tensor:
        optimizer.zero_grad()
        loss = loss_of(step.call(*args, **kwargs), step)
        scaler.scale(loss).backward()  # type: ignore[no-untyped-call]  # as above
        scaler.step(optimizer)
        scaler.update()
        return loss.detach()

    return update


def _own(step: TrainingStep) -> Update:
    def update(*args: object, **kwargs: object) -> Tensor | float:
        value = reported(step.call(*args, **kwargs))
        return float("nan") if value is None else value

    return update
