"""Step functions compiled for a CUDA device; elsewhere they are called as they are."""

import inspect
import warnings
from collections.abc import Mapping
from typing import Any

import torch

from pools.errors import UsageError
from surrogates.step_functions import Step


def captured(step: Step, device: torch.device, options: Mapping[str, Any]) -> Step:
    """Return a step function that does the same, compiled where that pays.

    Batches of another size than the first are compiled for again, by `torch.compile` itself.

    Args:
        step: what is called once a batch.
        device: where it computes.
        options: of `torch.compile`.
    """
    return compiled(step, options) if device.type == "cuda" else step


def compiled(step: Step, options: Mapping[str, Any]) -> Step:
    """Return a step function compiled at its first call; what cannot be compiled runs as it is."""
    chosen: Step = torch.compile(step, **options)

    def called(*args: object, **kwargs: object) -> object:
        nonlocal chosen
        try:
            return chosen(*args, **kwargs)
        except torch._dynamo.exc.TorchDynamoException as error:
            if chosen is step:
                raise
            warnings.warn(
                f"{step} cannot be compiled and runs as it is: {error}; pass "
                "enable_static_capture=False to not try",
                stacklevel=2,
            )
            chosen = step
            return step(*args, **kwargs)

    return called


def check_options(options: Mapping[str, Any]) -> None:
    """Refuse options that `torch.compile` does not know, also where nothing is compiled.

    Raises:
        UsageError: there are some.
    """
    allowed = [name for name in inspect.signature(torch.compile).parameters if name != "model"]
    if unknown := sorted(set(options) - set(allowed)):
        raise UsageError(
            f"DefaultTrainingLoop got {', '.join(unknown)}; besides its own arguments it takes "
            f"those of torch.compile: {', '.join(allowed)}"
        )
