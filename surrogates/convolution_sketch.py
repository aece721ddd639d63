"""The gradient sketch of a convolution in one to three dimensions."""

from dataclasses import dataclass

import torch
from torch import Generator, Tensor, nn
from torch.func import functional_call

from surrogates.layer_sketch import Matrices, gaussians

Convolution = nn.Conv1d | nn.Conv2d | nn.Conv3d

_PLAIN: dict[int, type[Convolution]] = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}


@dataclass(frozen=True, slots=True, eq=False)
class ConvolutionSketch:
    """A convolution, whatever its stride, padding, dilation and groups.

    What it sees at a position is a patch of its inputs: all patches are projected by a convolution
    of the same geometry with random kernels. The groups, which have weights of their own, share
    these; that their projections of the gradient are independent is enough.
    """

    layer: Convolution

    def draw(self, width: int, generator: Generator) -> Matrices:
        patch = self.layer.weight[0].numel() + (self.layer.bias is not None)
        return gaussians(width, (patch, self.layer.out_channels), generator)

    def positions(self, gradient: Tensor) -> int:
        return self.layer.groups * gradient[0, 0].numel()

    def contribution(self, inputs: Tensor, gradient: Tensor, matrices: Matrices) -> Tensor:
        left, right = matrices  # (D, in / groups * kernel + 1), (D, out)
        groups = self.layer.groups
        split = (len(inputs), groups, -1, gradient[0, 0].numel())
        patches = self._patches(inputs, left).reshape(split)  # (b, groups, D, p)
        projections = right.reshape(len(right), groups, -1).transpose(0, 1)  # (groups, D, ...)
        change = projections @ gradient.reshape(split)  # (b, groups, D, p)
        return (patches * change).sum((1, 3))

    def _patches(self, inputs: Tensor, left: Tensor) -> Tensor:
        """Project every patch with the columns, shape (b, in, ...) to (b, groups * D, ...)."""
        kernel = self.layer.weight[0]  # (in / groups, ...)
        shift = left[:, -1] if self.layer.bias is not None else left.new_zeros(len(left))
        kernels = left[:, : kernel.numel()].reshape(-1, *kernel.shape)
        values = {
            "weight": torch.cat([kernels] * self.layer.groups),
            "bias": shift.repeat(self.layer.groups),
        }
        projected: Tensor = functional_call(_like(self.layer, len(left)), values, inputs)
        return projected


def convolution_sketch(module: nn.Module) -> ConvolutionSketch | None:
    """Tell how to sketch the gradient of a `torch.nn.Conv1d`, `Conv2d` or `Conv3d`."""
    return ConvolutionSketch(module) if isinstance(module, Convolution) else None


def _like(layer: Convolution, width: int) -> Convolution:
    """Return a convolution of the same geometry, without values, of `width` outputs per group."""
    return _PLAIN[len(layer.kernel_size)](
        layer.in_channels,
        layer.groups * width,
        layer.kernel_size,  # type: ignore[arg-type]  # as many as the layer has dimensions
        layer.stride,  # type: ignore[arg-type]
        layer.padding,  # type: ignore[arg-type]
        layer.dilation,  # type: ignore[arg-type]
        layer.groups,
        padding_mode=layer.padding_mode,
        device="meta",
    )
