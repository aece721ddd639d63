"""Where a training computes, and in which precision.

Half precision means mixed precision: weights and data stay in single precision, and torch's
autocast chooses what is computed in half [Micikevicius2018].

[Micikevicius2018] P. Micikevicius et al., Mixed precision training, ICLR 2018.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import chain
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from pools.errors import UsageError

_HALF = (torch.float16, torch.bfloat16)
_FULL = (torch.float32, torch.float64)


@dataclass(frozen=True, slots=True)
class Precision:
    """Device and number types of a training.

    Attributes:
        device: where it computes.
        dtype: type of floating-point data.
        mixed: type that autocast computes in; None where it is not used.
    """

    device: torch.device
    dtype: torch.dtype
    mixed: torch.dtype | None = None

    def around(self, step: Callable[..., Any]) -> Callable[..., Any]:
        """Return a step function that computes in this precision."""
        if self.mixed is None:
            return step
        around: Callable[..., Any] = torch.autocast(self.device.type, dtype=self.mixed)(step)
        return around

    def scaler(self) -> torch.amp.GradScaler | None:
        """Return what keeps small float16 gradients from vanishing; None where nothing must."""
        needed = self.mixed is torch.float16 and self.device.type == "cuda"
        return torch.amp.GradScaler("cuda") if needed else None


def precision_of(
    model: Any,  # noqa: ANN401 - a module, or a learner with parameters
    device: torch.device | None,
    dtype: torch.dtype | None,
) -> Precision:
    """Return the precision asked for; what is not asked for is that of the model's parameters."""
    weights = next((p for p in model.parameters() if p.is_floating_point()), None)
    if device is None:
        device = torch.device("cpu") if weights is None else weights.device
    if dtype is None:
        dtype = torch.get_default_dtype() if weights is None else weights.dtype
        return Precision(device, dtype)
    return Precision(device, torch.float32, dtype) if dtype in _HALF else Precision(device, dtype)


def device_named(device: str | torch.device | None) -> torch.device | None:
    """Return a device by its name.

    Raises:
        UsageError: torch knows no such device.
    """
    try:
        return None if device is None else torch.device(device)
    except (RuntimeError, TypeError) as error:
        raise UsageError(
            f"device is {device!r}, which torch does not know; give 'cpu', 'cuda', 'cuda:1', or "
            "None for where the model is"
        ) from error


def dtype_named(dtype: str | torch.dtype | None) -> torch.dtype | None:
    """Return a number type by its name, with or without `torch.` before it.

    Raises:
        UsageError: it is none to train in.
    """
    if dtype is None:
        return None
    found = next((t for t in _HALF + _FULL if t is dtype or str(dtype) in _names(t)), None)
    if found is None:
        raise UsageError(
            f"dtype is {dtype!r}; give one of {', '.join(map(str, _HALF + _FULL))}, or None for "
            "that of the model's parameters"
        )
    return found


def place(
    model: Any,  # noqa: ANN401 - a module, or a learner with parameters
    optimizer: Optimizer,
    device: torch.device | None,
    dtype: torch.dtype | None,
) -> Precision:
    """Move the model to where it is to be trained, and the optimizer's state with it.

    Args:
        model: what is trained.
        optimizer: of its parameters; what it has accumulated is kept.
        device: where to; None for where it is.
        dtype: of its weights; single precision for half; None for what they are.

    Raises:
        UsageError: it would have to be moved, but cannot be.
    """
    precision = precision_of(model, device, dtype)
    before = _places(model)
    if device is not None and any(not _is_on(found, device) for found, _ in before):
        _moved(model, "to", device)
    if dtype is not None and any(found != precision.dtype for _, found in before):
        _moved(model, "double" if precision.dtype is torch.float64 else "float")
    if _places(model) != before:
        optimizer.load_state_dict(optimizer.state_dict())  # which casts it to its parameters'
    return precision


def _names(dtype: torch.dtype) -> tuple[str, str]:
    return str(dtype), str(dtype).removeprefix("torch.")


def _places(model: Any) -> list[tuple[torch.device, torch.dtype]]:  # noqa: ANN401 - as above
    """Return where the real weights and buffers are, and their types."""
    buffers = getattr(model, "buffers", tuple)
    tensors: Iterable[Tensor] = chain(model.parameters(), buffers())
    return [(t.device, t.dtype) for t in tensors if t.is_floating_point()]


def _is_on(found: torch.device, asked: torch.device) -> bool:
    return found.type == asked.type and asked.index in (None, found.index)


def _moved(model: Any, method: str, *arguments: torch.device) -> None:  # noqa: ANN401 - as above
    if not callable(move := getattr(model, method, None)):
        raise UsageError(
            f"{type(model).__qualname__} has to be moved or cast, but has no method `{method}`; "
            f"give it one, as torch.nn.Module has, or leave device and dtype at None"
        )
    move(*arguments)
