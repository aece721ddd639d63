"""A state as torch's `state_dict` returns it, split into JSON and tensors, and put together again.

What JSON has no word for becomes an object with one key that says what it is: `{"tuple": [...]}`,
`{"float": "nan"}`, `{"tensor": "optimizer.state.0.exp_avg"}`. Dictionaries become lists of pairs,
so that keys may be numbers and their order is kept.
"""

import math
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pools.errors import UsageError

State = Any
"""None, numbers, strings, tensors; lists, tuples and dictionaries of them."""
Json = Any
"""What `json.dumps` takes, without infinities and without objects of any other kind."""

_DICTIONARIES: Mapping[type, str] = {dict: "dict", Counter: "counter", OrderedDict: "ordered"}


def state_to_tensors(state: State) -> tuple[Json, dict[str, Tensor]]:
    """Split a state.

    Args:
        state: what to split.

    Returns:
        The state as JSON, with tensors replaced by their names; and copies of the tensors on the
        processor, by name, contiguous.

    Raises:
        UsageError: it holds something that is neither data nor a container of data.
    """
    splitting = _Splitting()
    return splitting.split(state, ""), splitting.tensors


def tensors_to_state(tree: Json, tensors: Mapping[str, Tensor]) -> State:
    """Put a state together again that `state_to_tensors` split.

    Raises:
        ValueError: it was not made by `state_to_tensors`.
        KeyError: a tensor is missing.
    """
    if tree is None or isinstance(tree, bool | int | float | str):
        return tree
    if isinstance(tree, list):
        return [tensors_to_state(item, tensors) for item in tree]
    if not isinstance(tree, dict) or len(tree) != 1 or (kind := next(iter(tree))) not in _READERS:
        raise ValueError(f"{str(tree)[:80]!r} is not a part of a state")
    return _READERS[kind](tree[kind], tensors)


@dataclass(frozen=True, slots=True)
class _Splitting:
    tensors: dict[str, Tensor] = field(default_factory=dict)

    def split(self, state: State, path: str) -> Json:
        if state is None or isinstance(state, bool | int | str):
            return state
        if isinstance(state, float):
            return float(state) if math.isfinite(state) else {"float": str(float(state))}
        if isinstance(state, np.bool_ | np.integer | np.float16 | np.float32):
            return self.split(state.item(), path)
        if isinstance(state, Tensor):
            return self._tensor(state, path)
        return self._container(state, path)

    def _container(self, state: State, path: str) -> Json:
        if type(state) is list:
            return self._items(state, path)
        if type(state) is tuple:
            return {"tuple": self._items(state, path)}
        if type(state) in _DICTIONARIES:
            pairs = [
                [self.split(key, _below(path, "keys")), self.split(value, _below(path, key))]
                for key, value in state.items()
            ]
            metadata = self.split(getattr(state, "_metadata", None), _below(path, "_metadata"))
            return {_DICTIONARIES[type(state)]: [pairs, metadata] if metadata else [pairs]}
        raise UsageError(
            f"{path or 'a state'} is a {type(state).__module__}.{type(state).__qualname__}, "
            f"{str(state)[:80]}, which cannot be saved without code; allowed are None, numbers, "
            "strings, strided tensors, and lists, tuples and dictionaries of them: keep it out of "
            "the state_dict"
        )

    def _items(self, items: Iterable[State], path: str) -> list[Json]:
        return [self.split(item, _below(path, index)) for index, item in enumerate(items)]

    def _tensor(self, tensor: Tensor, path: str) -> Json:
        if tensor.layout is not torch.strided or tensor.is_quantized or tensor.is_meta:
            raise UsageError(
                f"{path or 'a state'} is a tensor of layout {tensor.layout} and type "
                f"{tensor.dtype} on {tensor.device}; a checkpoint holds strided tensors with "
                "data: call its to_dense() or dequantize() in the state_dict"
            )
        plain = tensor.detach().cpu().resolve_conj().resolve_neg()
        kind, real = (
            ("complex", torch.view_as_real(plain)) if plain.is_complex() else ("tensor", plain)
        )
        while path in {"", "__metadata__", *self.tensors}:
            path += "'"  # as {"a.b": tensor} beside {"a": {"b": tensor}}
        self.tensors[path] = real.clone(memory_format=torch.contiguous_format)
        return {kind: path}


def _below(path: str, key: object) -> str:
    return f"{path}.{key}" if path else str(key)


_Reader = Callable[[Json, Mapping[str, Tensor]], State]


def _dictionary(kind: Callable[[Any], Any]) -> _Reader:
    """Return what reads pairs, and perhaps the versions that torch keeps with a `state_dict`."""

    def read(content: Json, tensors: Mapping[str, Tensor]) -> State:
        pairs, *metadata = content
        state = kind([tensors_to_state(pair, tensors) for pair in pairs])
        for found in metadata:
            state._metadata = tensors_to_state(found, tensors)
        return state

    return read


_READERS: Mapping[str, _Reader] = {
    "float": lambda content, _: float(content),
    "tensor": lambda content, tensors: tensors[content],
    "complex": lambda content, tensors: torch.view_as_complex(tensors[content]),
    "tuple": lambda content, tensors: tuple(tensors_to_state(content, tensors)),
    "dict": _dictionary(dict),
    "counter": _dictionary(lambda pairs: Counter(dict(pairs))),
    "ordered": _dictionary(OrderedDict),
}
