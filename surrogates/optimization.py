"""One batch, one step of the optimizer: the backward pass and what follows it."""

import inspect
from collections.abc import Callable

import torch
from torch import Tensor
from torch.optim import Optimizer

from pools.errors import UsageError
from surrogates.distribution import over_ranks
from surrogates.step_functions import TrainingStep, loss_of, reported

Update = Callable[..., Tensor | float]
"""Called with a batch; trains on it and returns its loss."""


def update_of(
    step: TrainingStep,
    optimizer: Optimizer,
    model: object,
    scaler: torch.amp.GradScaler | None = None,
) -> Update:
    """Return what trains on a batch.

    Args:
        step: returns the batch's loss, or moves the weights itself.
        optimizer: stepped once a batch, unless the step moves the weights itself.
        model: what is trained, perhaps on several ranks.
        scaler: of the loss, for float16.

    Raises:
        UsageError: the optimizer asks for the loss itself, which a scaler does not let it.
    """
    if step.steps_itself:
        return _own(step)
    if _asks_for_the_loss(optimizer):
        _refuse(scaler, optimizer)
        return _asked(step, optimizer, model)
    return _plain(step, optimizer) if scaler is None else _scaled(step, optimizer, scaler)


def _plain(step: TrainingStep, optimizer: Optimizer) -> Update:
    def update(*args: object, **kwargs: object) -> Tensor:
        optimizer.zero_grad()
        loss = loss_of(step.call(*args, **kwargs), step)
        loss.backward()  # type: ignore[no-untyped-call]  # torch does not annotate it
        optimizer.step()
        return loss.detach()

    return update


def _asked(step: TrainingStep, optimizer: Optimizer, model: object) -> Update:
    """Let the optimizer compute the loss as often as it likes: on all ranks as often."""

    def update(*args: object, **kwargs: object) -> float:
        def closure() -> float:
            optimizer.zero_grad()
            loss = loss_of(step.call(*args, **kwargs), step)
            loss.backward()  # type: ignore[no-untyped-call]  # as above
            return over_ranks(loss.item(), model)

        return float(optimizer.step(closure))

    return update


def _asks_for_the_loss(optimizer: Optimizer) -> bool:
    """Say whether `step` needs a closure, as that of LBFGS does."""
    closure = inspect.signature(optimizer.step).parameters.get("closure")
    return closure is not None and closure.default is inspect.Parameter.empty


def _refuse(scaler: torch.amp.GradScaler | None, optimizer: Optimizer) -> None:
    if scaler is not None:
        raise UsageError(
            f"{type(optimizer).__name__} computes the loss several times a step, which the scaler "
            "of the loss that float16 needs cannot follow; give dtype bfloat16, float32 or "
            "float64, or another optimizer"
        )


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
