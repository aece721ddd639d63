"""The sketch of one layer's weight gradient, from the layer's inputs and its output's gradient.

A layer that is linear in its weights has, for one point, the weight gradient
sum over positions of g x~^T, where x~ = [x, 1] is what it sees there and g the gradient of its
output. Column by column, (P x~) * (Q g) with Gaussian P and Q is a random projection of g x~^T,
so that products of sketches are unbiased estimates of products of gradients; and the gradient,
which is as large as the weights, is never formed.

[Holzmueller2023] D. Holzmueller, V. Zaverkin, J. Kaestner and I. Steinwart, A framework and
benchmark for deep batch active learning for regression, JMLR 24(164), 2023.
"""

from collections.abc import Callable, Iterable
from typing import Protocol

import torch
from torch import Generator, Tensor, nn

Matrices = tuple[Tensor, ...]
"""The random matrices of a layer: the first axis of each is the sketch's columns, `D`."""


class LayerSketch(Protocol):
    """What the sketch of a layer's gradient needs to know of the layer [Holzmueller2023]."""

    def draw(self, width: int, generator: Generator) -> Matrices:
        """Draw matrices for `width` columns; none is larger than (D, inputs + 1 or outputs)."""
        ...

    def positions(self, gradient: Tensor) -> int:
        """Return how many numbers per column a point with such an output gradient takes."""
        ...

    def contribution(self, inputs: Tensor, gradient: Tensor, matrices: Matrices) -> Tensor:
        """Return the unscaled sketch of the gradients of `b` points, shape (b, D).

        Args:
            inputs: what the layer was called with, shape (b, ...).
            gradient: the gradient of its output, shape (b, ...).
            matrices: all or some of the columns that `draw` drew.
        """
        ...


Adapter = Callable[[nn.Module], LayerSketch | None]
"""Tells how to sketch the gradient of a module; None if that is not of the kind that it knows."""


def gaussians(width: int, sizes: Iterable[int], generator: Generator) -> Matrices:
    """Draw one matrix per size, shape (D, size), of independent standard normal numbers."""
    return tuple(torch.randn(width, size, generator=generator) for size in sizes)
