"""Watching what the layers of a module are called with, without leaving a trace in the module."""

from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from surrogates.contraction_sketch import contraction_sketch
from surrogates.layer_sketch import Adapter, LayerSketch


@dataclass(frozen=True, slots=True, eq=False)
class Call:
    """One use of a layer's weights.

    Attributes:
        weights: which weights; the same for all calls of one layer.
        layer: how their gradient is sketched.
        inputs: what the layer saw, shape (b, ...).
        tap: zeros that were added to what it put out, whose gradient therefore is the output's.
    """

    weights: Hashable
    layer: LayerSketch
    inputs: Tensor
    tap: Tensor


@contextmanager
def evaluating(module: nn.Module) -> Iterator[None]:
    """Have a module evaluate, not train, meanwhile; each part is in its own mode again after."""
    modes = {part: part.training for part in module.modules()}
    module.eval()
    try:
        yield
    finally:
        for part, training in modes.items():
            part.training = training


@contextmanager
def watched(module: nn.Module, adapters: Sequence[Adapter]) -> Iterator[list[Call]]:
    """Record the calls of every layer that an adapter knows, and of `einsum` with its weights.

    The weights need not require a gradient, and get none: gradients reach the taps.
    """
    calls: list[Call] = []
    with ExitStack() as stack:
        for part in module.modules():
            if layer := _adapted(part, adapters):
                hook = part.register_forward_hook(_recorder(layer, calls), with_kwargs=True)
                stack.callback(hook.remove)
        stack.enter_context(_Contractions(module, calls))
        stack.enter_context(torch.enable_grad())
        yield calls


@contextmanager
def inputs_seen(parts: Sequence[nn.Module]) -> Iterator[list[Tensor]]:
    """Keep what the last called of these parts of a module saw, as a list of at most one."""
    seen: list[Tensor] = []

    def keep(_part: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        seen[:] = [_first(args, kwargs)]

    with ExitStack() as stack:
        for part in parts:
            hook = part.register_forward_pre_hook(keep, with_kwargs=True)
            stack.callback(hook.remove)
        yield seen


def _adapted(part: nn.Module, adapters: Sequence[Adapter]) -> LayerSketch | None:
    found = (adapter(part) for adapter in adapters)
    return next((layer for layer in found if layer), None)


def _recorder(
    layer: LayerSketch, calls: list[Call]
) -> Callable[[nn.Module, tuple[Any, ...], dict[str, Any], Tensor], Tensor]:
    def record(
        part: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: Tensor
    ) -> Tensor:
        tap = torch.zeros_like(output, requires_grad=True)
        calls.append(Call(part, layer, _first(args, kwargs).detach(), tap))
        return output + tap

    return record


def _first(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Tensor:
    """Return the inputs of a layer, however it was called."""
    values: Tensor = args[0] if args else next(iter(kwargs.values()))
    return values


class _Contractions(TorchFunctionMode):
    """Sees every `torch.einsum` of inputs with a module's parameter, or a part or view of one."""

    def __init__(self, module: nn.Module, calls: list[Call]) -> None:
        super().__init__()
        self._storages = {p.untyped_storage().data_ptr() for p in module.parameters()}
        self._calls = calls

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Any,  # noqa: ANN401 - torch's signature
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401 - whatever torch answers
        output = func(*args, **(kwargs or {}))
        if func is not torch.einsum:
            return output
        equation, *operands = args
        one_list = isinstance(operands[0], list | tuple)
        return self._record(equation, list(operands[0]) if one_list else operands, output)

    def _record(self, equation: str, operands: list[Tensor], output: Tensor) -> Tensor:
        held = [operand.untyped_storage().data_ptr() in self._storages for operand in operands]
        if len(operands) != 2 or sum(held) != 1:
            return output
        inputs, weights = operands if held[1] else reversed(operands)
        layer = contraction_sketch(equation, inputs, weights, weights_first=held[0])
        if layer is None:
            return output
        tap = torch.zeros_like(output, requires_grad=True)
        self._calls.append(Call(_identity(weights), layer, inputs.detach(), tap))
        return output + tap


def _identity(weights: Tensor) -> Hashable:
    """Tell parts of one parameter apart, and know the same part again."""
    start = weights.untyped_storage().data_ptr()
    return (start, weights.storage_offset(), weights.shape, weights.stride(), weights.dtype)
