"""Batches to the device and the precision that a learner computes in."""

import copy
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import torch
from torch import Tensor


def cast(data: Any, device: torch.device, dtype: torch.dtype) -> Any:  # noqa: ANN401 - any batch
    """Return a batch with its tensors moved; containers are copied, what is neither is kept.

    Args:
        data: a tensor, or dictionaries, lists, tuples and dataclasses of them, nested at will. An
            object with a method `to` of its own is moved by it, in the precision that it has.
        device: where every tensor goes.
        dtype: precision of floating-point tensors; labels, indices, masks and complex numbers keep
            theirs.
    """
    if isinstance(data, Tensor):
        return _tensor(data, device, dtype)
    if hasattr(data, "to"):
        return data.to(device)
    if isinstance(data, list | tuple):
        return _sequence(data, device, dtype)
    if isinstance(data, dict):
        return _changed(data, {key: cast(value, device, dtype) for key, value in data.items()})
    if is_dataclass(data) and not isinstance(data, type):
        return _dataclass(data, device, dtype)
    return data


def _tensor(tensor: Tensor, device: torch.device, dtype: torch.dtype) -> Tensor:
    """Move a tensor; not even asked to, which takes a while, where it is as it should be."""
    kind = dtype if tensor.is_floating_point() else tensor.dtype
    if tensor.dtype == kind and tensor.device == device:
        return tensor
    waits = device.type == "cpu"  # else it could be read before it is there
    return tensor.to(device, kind, non_blocking=not waits)


def _sequence(data: Any, device: torch.device, dtype: torch.dtype) -> Any:  # noqa: ANN401
    items = [cast(item, device, dtype) for item in data]
    if hasattr(data, "_fields"):  # a namedtuple
        return type(data)(*items)
    return items if type(data) is list else type(data)(items)


def _changed(data: dict[Any, Any], values: Mapping[Any, Any]) -> dict[Any, Any]:
    """Return a dictionary of the same type, such as a defaultdict, with other values."""
    changed = copy.copy(data)
    changed.update(values)
    return changed


def _dataclass(data: Any, device: torch.device, dtype: torch.dtype) -> Any:  # noqa: ANN401
    """Return a copy with moved fields, frozen or not, without another `__post_init__`."""
    changed = copy.copy(data)
    for field in fields(data):
        object.__setattr__(changed, field.name, cast(getattr(data, field.name), device, dtype))
    return changed
