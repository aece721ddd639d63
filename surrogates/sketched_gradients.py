"""Sketched gradients: how alike two points are to a torch module, whatever it is made of.

The inner product of two points' gradients, of the outputs by the weights, is the neural tangent
kernel [Jacot2018]: how much a step of training at the one changes the prediction at the other. The
features made here have that product up to noise which falls with their width [Holzmueller2023].

[Jacot2018] A. Jacot, F. Gabriel and C. Hongler, Neural tangent kernel: convergence and
generalization in neural networks, NeurIPS 2018.
[Holzmueller2023] D. Holzmueller, V. Zaverkin, J. Kaestner and I. Steinwart, A framework and
benchmark for deep batch active learning for regression, JMLR 24(164), 2023.
"""

import math
from collections.abc import Hashable
from dataclasses import dataclass, field

import torch
from torch import Generator, Tensor, nn

from pools.errors import UsageError
from pools.seeds import seed_for
from surrogates.convolution_sketch import convolution_sketch
from surrogates.layer_calls import Call, evaluating, watched
from surrogates.layer_sketch import Adapter, Matrices
from surrogates.linear_sketch import linear_sketch
from surrogates.module_inputs import as_inputs, checked

_VALUES = 1 << 24  # numbers of a layer's sketch, before positions are summed, formed at once


@dataclass(frozen=True, slots=True)
class SketchSettings:
    """How gradients are sketched.

    Attributes:
        width: the number `D` of features.
        probes: random combinations of the outputs whose gradients are taken, one backward pass
            each; with no more outputs than that, each output's own gradient is taken instead.
            For 24 outputs, more than 4 kept the order of distances no better.
        seed: seed of all random matrices and probes.
        block: points that go through the module at once.
        adapters: the kinds of layers that are known.
    """

    width: int = 512
    probes: int = 4
    seed: int = 0
    block: int = 8192
    adapters: tuple[Adapter, ...] = (linear_sketch, convolution_sketch)

    def __post_init__(self) -> None:
        if self.probes < 1 or self.block < 1 or self.width < self.probes:
            raise UsageError(
                f"a sketch of width {self.width} with {self.probes} probes in blocks of "
                f"{self.block}; all are at least 1 and each probe needs a feature: raise width, "
                "or lower probes"
            )


DEFAULT = SketchSettings()


def sketched_gradients(
    module: nn.Module, inputs: Tensor, settings: SketchSettings = DEFAULT
) -> Tensor:
    """Return features whose products estimate the tangent kernel, summed over outputs, unbiasedly.

    The kernel is the sum over outputs of the products of their gradients, by the weights of all
    linear layers, convolutions and `einsum`s with a parameter; other weights do not count. With
    random probes v ~ N(0, I) the gradient of v . outputs has it as its expected product (that of
    the plain sum of the outputs would not: they cancel). Each of R probes, divided by sqrt(R),
    has its own D / R features with independent matrices, so that products of features are a sum
    over probes. To sum sketches that are each D wide is unbiased as well, and somewhat more
    exact, at R times the work.

    The matrices depend on the seed alone, so that a point has the same features in any block and
    whatever the other points, to the last digits: how single precision rounds a product of
    matrices may depend on their size. The module evaluates, row by row independently, and is
    afterwards what it was: mode, gradients, hooks.

    Args:
        module: takes inputs, shape (b, ...), and returns a real tensor, shape (b, ...).
        inputs: points as the module takes them, shape (n, ...).
        settings: width, probes, seed.

    Returns:
        Shape (n, D), single precision, on the processor.

    Raises:
        UsageError: the module has no layer of a known kind, or mixes points, or what it returns
            is not finite.
    """
    if not len(inputs):
        return torch.empty(0, settings.width)
    draws = _Draws(settings)
    with torch.inference_mode(mode=False), evaluating(module):
        blocks = [
            _block(module, rows, draws) for rows in as_inputs(module, inputs, settings.block)
        ]
    return torch.cat(blocks)


@dataclass(frozen=True, slots=True, eq=False)
class _Draws:
    """The random numbers of one sketch, drawn when they are first asked for."""

    settings: SketchSettings
    matrices: dict[Hashable, Matrices] = field(default_factory=dict)

    def of(self, call: Call) -> Matrices:
        """Return the matrices of a layer: those of the first, the second, ... to be called."""
        if call.weights not in self.matrices:
            generator = layer_generator(self.settings.seed, len(self.matrices))
            drawn = call.layer.draw(self.settings.width, generator)
            self.matrices[call.weights] = tuple(m.to(call.tap.device) for m in drawn)
        return self.matrices[call.weights]


def layer_generator(seed: int, layer: int) -> Generator:
    """Return where the matrices of a layer, counted from 0, come from."""
    return Generator().manual_seed(seed_for(seed, layer, "gradient sketch"))


def output_probes(outputs: int, settings: SketchSettings) -> Tensor:
    """Return combinations of outputs, shape (R, outputs), whose kernels add up to the sum's."""
    if outputs <= settings.probes:
        return torch.eye(outputs)
    generator = Generator().manual_seed(seed_for(settings.seed, 0, "output probes"))
    return torch.randn(settings.probes, outputs, generator=generator) / math.sqrt(settings.probes)


def _block(module: nn.Module, rows: Tensor, draws: _Draws) -> Tensor:
    """Return the features of as many points as fit, shape (b, ...) to (b, D)."""
    with watched(module, draws.settings.adapters) as calls:
        outputs = checked(module(rows), rows).flatten(1)
    _check(module, calls, outputs)
    probes = output_probes(outputs.shape[1], draws.settings).to(outputs)
    features = torch.empty(len(rows), draws.settings.width)
    for index, probe in enumerate(probes):
        columns = slice(index, None, len(probes))  # dealt out like cards
        gradients = torch.autograd.grad(
            outputs,
            [call.tap for call in calls],
            probe.expand_as(outputs),
            retain_graph=index < len(probes) - 1,
            allow_unused=True,
            materialize_grads=True,
        )
        features[:, columns] = _sketch(calls, gradients, columns, draws).cpu()
    return features


def _sketch(
    calls: list[Call], gradients: tuple[Tensor, ...], columns: slice, draws: _Draws
) -> Tensor:
    """Sum the layers' sketches of one combination of outputs, shape (b, D / R)."""
    width = len(range(draws.settings.width)[columns])
    total = torch.zeros(len(gradients[0]), width, device=gradients[0].device)
    for call, gradient in zip(calls, gradients, strict=True):
        matrices = tuple(matrix[columns] for matrix in draws.of(call))
        size = max(1, _VALUES // (width * max(1, call.layer.positions(gradient))))
        for start in range(0, len(total), size):
            rows = slice(start, start + size)
            seen, change = _single(call.inputs[rows]), _single(gradient[rows])
            total[rows] += call.layer.contribution(seen, change, matrices)
    return total / math.sqrt(width)


def _single(values: Tensor) -> Tensor:
    """Return values in single precision, real or complex."""
    return values.to(torch.complex64 if values.is_complex() else torch.float32)


def _check(module: nn.Module, calls: list[Call], outputs: Tensor) -> None:
    if not calls or not outputs.requires_grad:
        raise UsageError(
            f"{type(module).__name__} called no Linear, Conv1d, Conv2d or Conv3d layer and no "
            "einsum with a parameter on the way to its outputs, and sketched gradients need one; "
            "give an adapter for its layers in SketchSettings, or ask for other features: "
            "ensemble or inputs"
        )
    for call in calls:
        if len(call.inputs) != len(outputs) or len(call.tap) != len(outputs):
            raise UsageError(
                f"a layer of {type(module).__name__} sees inputs of shape "
                f"{tuple(call.inputs.shape)} for {len(outputs)} points; sketched gradients need "
                "the points along the first axis of every layer: keep that axis, or ask for "
                "other features: ensemble or inputs"
            )
