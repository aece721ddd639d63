"""Which function is called once a batch, and what it has to return."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.nn.parallel import DistributedDataParallel

from pools.errors import UsageError

Step = Callable[..., object]
"""Called with a batch, or with model and batch, and what the loop was called with besides."""

_EXAMPLE = (
    "`def step(model, batch): return torch.nn.functional.mse_loss(model(batch[0]), batch[1])`"
)


@dataclass(frozen=True, slots=True)
class TrainingStep:
    """What is called once a batch of training data.

    Attributes:
        call: called with a batch and what the loop was called with in addition.
        name: how an error calls it.
        steps_itself: whether it calls `backward` and moves the weights itself.
    """

    call: Step
    name: str
    steps_itself: bool = False


def training_step(
    model: Any,  # noqa: ANN401 - a module or a learner
    function: Step | None,
    capture: Callable[[Step], Step],
) -> TrainingStep:
    """Return the function, or else the learner's own `training_step`.

    Args:
        model: a module or a learner; a distributed one is passed to a function as it is, while its
            learner's own step is called through it, which is what averages the gradients.
        function: called with model and batch; None for the learner's own.
        capture: what compiles a step.

    Raises:
        UsageError: there is neither.
    """
    if function is not None:
        return TrainingStep(partial(capture(function), model), name_of(function))
    learner = unwrapped(model)
    own = getattr(learner, "training_step", None)
    kind = type(learner).__qualname__
    if not callable(own):
        raise UsageError(
            f"no function for a training step: train_step_fn is None and {kind} has no "
            f"`training_step`; give train_step_fn, such as {_EXAMPLE}, to DefaultTrainingLoop or "
            "to its call"
        )
    itself = not getattr(learner, "automatic_optimization", True)
    call = own if itself else capture(own)
    if learner is not model:
        call = _through(model, call)
    return TrainingStep(call, f"{kind}.training_step", itself)


def validation_step(
    model: Any,  # noqa: ANN401 - a module or a learner
    function: Step | None,
    capture: Callable[[Step], Step],
) -> Step | None:
    """Return the function, or else the learner's own `validation_step`; None without either."""
    if function is not None:
        return partial(capture(function), model)
    own = getattr(unwrapped(model), "validation_step", None)
    return capture(own) if callable(own) else None


def loss_of(returned: object, step: TrainingStep) -> Tensor:
    """Return what a training step returned if `backward` can be called on it.

    Raises:
        UsageError: it is no loss.
    """
    if isinstance(returned, Tensor) and returned.requires_grad and returned.numel() == 1:
        return returned
    raise UsageError(
        f"{step.name} returned {_described(returned)}; a training step returns its loss, a tensor "
        f"of one number that depends on the weights, without calling backward: {_EXAMPLE}. A "
        "learner whose own training_step moves the weights itself states "
        "`automatic_optimization = False`"
    )


def reported(returned: object) -> Tensor | float | None:
    """Return the number in what a step returned, a tensor's mean; None where there is none."""
    if isinstance(returned, Tensor):
        return returned.detach().to(torch.promote_types(returned.dtype, torch.float32)).mean()
    return float(returned) if isinstance(returned, int | float) else None


def unwrapped(model: Any) -> Any:  # noqa: ANN401 - a module or a learner
    """Return the learner within its wrapper for distributed training."""
    return model.module if isinstance(model, DistributedDataParallel) else model


def name_of(function: Step) -> str:
    """Return a function's module and name."""
    name = getattr(function, "__qualname__", None)
    return repr(function) if name is None else f"{function.__module__}.{name}"


def _through(wrapper: DistributedDataParallel, step: Step) -> Step:
    """Call a step inside the wrapper's forward, which takes note of what it computes."""
    module = wrapper.module

    def called(*args: object, **kwargs: object) -> object:
        forward = module.forward

        def in_its_place(*inner: object, **named: object) -> object:
            module.forward = forward  # which the step itself may call
            return step(*inner, **named)

        module.forward = in_its_place
        try:
            return wrapper(*args, **kwargs)
        finally:
            module.forward = forward

    return called


def _described(returned: object) -> str:
    if not isinstance(returned, Tensor):
        return f"{str(returned)[:80]!r} ({type(returned).__qualname__})"
    gradient = "a" if returned.requires_grad else "no"
    return f"a tensor of shape {tuple(returned.shape)} with {gradient} gradient"
