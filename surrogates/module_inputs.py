"""Points to a torch module in blocks, and a look at what it answers."""

import math

import torch
from torch import Tensor, nn

from pools.errors import UsageError


def as_inputs(module: nn.Module, inputs: Tensor, block: int) -> list[Tensor]:
    """Copy points in blocks, shape (b, ...), to the module's device and in its precision.

    They are copies even where nothing changes: a module may work in place.
    """
    weights = next((p for p in module.parameters() if p.is_floating_point()), torch.empty(0))
    return [rows.to(weights, copy=True) for rows in torch.split(inputs.detach(), block)]


def checked(outputs: object, rows: Tensor) -> Tensor:
    """Return what a module answered to points, if it is one finite number or more for each.

    Raises:
        UsageError: it is something else.
    """
    if not isinstance(outputs, Tensor) or outputs.is_complex():
        kind = outputs.dtype if isinstance(outputs, Tensor) else type(outputs).__name__
        raise UsageError(f"the module returned {kind}; wrap it in one that returns a real tensor")
    if outputs.ndim == 0 or len(outputs) != len(rows):
        raise UsageError(
            f"the module returned shape {tuple(outputs.shape)} for {len(rows)} points; wrap it in "
            "one that returns a row for each point"
        )
    finite = outputs.isfinite().reshape(len(rows), math.prod(outputs.shape[1:])).all(1)
    if not finite.all():
        first = int(finite.int().argmin())
        raise UsageError(
            f"the module's outputs are not finite for {int((~finite).sum())} of {len(rows)} "
            f"points, the first at inputs {rows[first].tolist()}; train it again, more slowly, "
            "or leave these points out"
        )
    return outputs[:, None] if outputs.ndim == 1 else outputs
