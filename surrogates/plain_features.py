"""Features that need no gradients: what the members say, and what a layer sees.

[Holzmueller2023] D. Holzmueller, V. Zaverkin, J. Kaestner and I. Steinwart, A framework and
benchmark for deep batch active learning for regression, JMLR 24(164), 2023.
"""

import math
from collections.abc import Sequence

import torch
from torch import Generator, Tensor, nn

from pools.errors import UsageError
from surrogates.layer_calls import evaluating, inputs_seen
from surrogates.module_inputs import as_inputs, checked

_MEMBERS, _LAYER = 256, 512  # most features of either kind: more are projected
_LAYERS = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)


def ensemble_features(members: Tensor) -> Tensor:
    """Return the members' departures from their mean, shape (e, n, outputs) to (n, features).

    A product of features is the members' covariance, summed over outputs; a point's with itself
    their variance. So it is a kernel of what the ensemble does not know [Holzmueller2023].

    Raises:
        UsageError: there is one member, which departs from nothing.
    """
    if len(members) < 2:
        raise UsageError(
            "ensemble features asked of 1 member, which have none; set members to 2 or more, or "
            "ask for other features: gradients, last_layer, latent or inputs"
        )
    centred = (members - members.mean(0)) / math.sqrt(len(members) - 1)
    return _narrowed(centred.transpose(0, 1).flatten(1).float(), _MEMBERS)


def layer_inputs(
    module: nn.Module, inputs: Tensor, layer: str | None = None, block: int = 8192
) -> Tensor:
    """Return what a layer sees, flattened, shape (n, ...) to (n, features).

    Args:
        module: takes inputs, shape (b, ...).
        inputs: points as the module takes them, shape (n, ...).
        layer: name of any part of the module, as in `named_modules`; None for the last called of
            the linear layers and convolutions, whose inputs are the `last_layer` features.
        block: points that go through the module at once.

    Raises:
        UsageError: there is no such part, or it is not called with points along its first axis.
    """
    parts = _parts(module, layer)
    with torch.no_grad(), evaluating(module):
        blocks = [_seen(module, rows, parts) for rows in as_inputs(module, inputs, block)]
    return torch.cat(blocks)


def mean_kernel(members: Sequence[Tensor]) -> Tensor:
    """Return features whose product is the mean of that of each member's, shape (n, f)."""
    return _narrowed(torch.cat([*members], 1) / math.sqrt(len(members)), _LAYER)


def _narrowed(features: Tensor, most: int) -> Tensor:
    """Project features, shape (n, f), if they are more; the products stay, on average.

    The projection depends on nothing but the number of features.
    """
    if features.shape[1] <= most:
        return features
    generator = Generator().manual_seed(features.shape[1])
    matrix = torch.randn(features.shape[1], most, generator=generator)
    return features @ (matrix / math.sqrt(most))


def _parts(module: nn.Module, layer: str | None) -> list[nn.Module]:
    named = dict(module.named_modules())
    if layer is None:
        return [part for part in named.values() if isinstance(part, _LAYERS)]
    if layer not in named:
        raise UsageError(
            f"the module has no part {layer!r}; its parts are {', '.join(filter(None, named))}"
        )
    return [named[layer]]


def _seen(module: nn.Module, rows: Tensor, parts: list[nn.Module]) -> Tensor:
    with inputs_seen(parts) as seen:
        checked(module(rows), rows)
    if not seen or len(seen[0]) != len(rows):
        raise UsageError(
            f"{type(module).__name__} called no Linear, Conv1d, Conv2d or Conv3d layer, or not "
            "the named one, with points along the first axis; name a part that is in "
            "latent_layer, or ask for other features: ensemble or inputs"
        )
    flat = seen[0].reshape(len(rows), math.prod(seen[0].shape[1:]))
    return _narrowed(flat.float().cpu(), _LAYER)
