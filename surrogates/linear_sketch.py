"""The gradient sketch of a linear layer, applied once to each point or at many positions."""

from dataclasses import dataclass

from torch import Generator, Tensor, nn
from torch.nn.functional import linear

from surrogates.layer_sketch import Matrices, gaussians


@dataclass(frozen=True, slots=True)
class LinearSketch:
    """A linear layer; its inputs, shape (b, ..., in), may have positions (tokens) in between."""

    inputs: int
    outputs: int
    bias: bool

    def draw(self, width: int, generator: Generator) -> Matrices:
        return gaussians(width, (self.inputs + self.bias, self.outputs), generator)

    def positions(self, gradient: Tensor) -> int:
        return gradient[0].numel() // self.outputs

    def contribution(self, inputs: Tensor, gradient: Tensor, matrices: Matrices) -> Tensor:
        left, right = matrices  # (D, in + 1), (D, out)
        shift = left[:, -1] if self.bias else None
        product = linear(inputs, left[:, : self.inputs], shift)  # (b, ..., D)
        product *= linear(gradient, right)
        return product.flatten(1, -2).sum(1) if product.ndim > 2 else product


def linear_sketch(module: nn.Module) -> LinearSketch | None:
    """Tell how to sketch the gradient of a `torch.nn.Linear`."""
    if not isinstance(module, nn.Linear):
        return None
    return LinearSketch(module.in_features, module.out_features, module.bias is not None)
