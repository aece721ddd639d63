"""What the ensemble's networks say of how alike points are, for each kind of features."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import silu

from pools.errors import UsageError
from surrogates.ensemble import Network
from surrogates.ensemble_gradients import ensemble_gradients
from surrogates.plain_features import ensemble_features, mean_kernel
from surrogates.prediction import FeatureKind

_ROWS = 8192  # points evaluated at once


def network_features(network: Network, inputs: Tensor, kind: FeatureKind) -> NDArray[np.float32]:
    """Return features of points, shape (n, d) to (n, D).

    Args:
        network: the members; of one point, each sees the same.
        inputs: points in [-1, 1], shape (n, d), single precision.
        kind: `gradients` of all outputs by all weights; what the `last_layer` sees; `latent`, what
            the layer in the middle sees; the `ensemble`'s centred outputs; or the `inputs`.

    Raises:
        UsageError: the kind is unknown, or `ensemble` and there is one member.
    """
    blocks = inputs.split(_ROWS)  # type: ignore[no-untyped-call]  # torch does not annotate it
    with torch.no_grad():
        return torch.cat([_features(network, rows, kind) for rows in blocks]).numpy()


def _features(network: Network, rows: Tensor, kind: FeatureKind) -> Tensor:
    layers = len(network.weights)
    match kind:
        case "gradients":
            return ensemble_gradients(network, rows)
        case "last_layer":
            return _seen(network, rows, layers - 1)
        case "latent":
            return _seen(network, rows, layers // 2)
        case "ensemble":
            return ensemble_features(network(rows.expand(network.members, -1, -1)))
        case "inputs":
            return rows
    raise UsageError(unknown_kind(kind))


def unknown_kind(kind: str) -> str:
    """Say that there are no such features, and which there are."""
    return (
        f"features of kind {kind!r}; there are gradients, last_layer, latent, ensemble and inputs"
    )


def _seen(network: Network, rows: Tensor, layer: int) -> Tensor:
    """Return what a layer of all members sees, with the members' mean kernel, (b, features)."""
    values = rows.expand(network.members, -1, -1)
    for weight, bias in zip(network.weights[:layer], network.biases[:layer], strict=True):
        values = silu(torch.baddbmm(bias, values, weight))  # (e, b, width)
    return mean_kernel(list(values))
