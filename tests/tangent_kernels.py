"""Small torch modules of every supported kind, and their exact tangent kernels."""

from collections.abc import Callable

import torch
from torch import Generator, Tensor, nn
from torch.func import functional_call, jacrev, vmap


class Spectral(nn.Module):
    """A spectral convolution of two blocks of modes, as in Fourier neural operators."""

    def __init__(self, channels: int, modes: int) -> None:
        super().__init__()
        shape = (channels, channels, modes, modes)
        self.low = nn.Parameter(torch.randn(shape, dtype=torch.cfloat) / channels)
        self.high = nn.Parameter(torch.randn(*shape, 2) / channels)  # real and imaginary parts
        self.modes = modes

    def forward(self, x: Tensor) -> Tensor:
        spectrum, k = torch.fft.rfft2(x), self.modes
        kept = torch.zeros_like(spectrum)
        kept[:, :, :k, :k] = torch.einsum("bixy,ioxy->boxy", spectrum[:, :, :k, :k], self.low)
        high = torch.view_as_complex(self.high)
        kept[:, :, -k:, :k] = torch.einsum("ioxy, bixy -> boxy", high, spectrum[:, :, -k:, :k])
        return torch.fft.irfft2(kept, s=x.shape[-2:])


class Tokens(nn.Module):
    """A residual network over five tokens that shares its layers among them."""

    def __init__(self) -> None:
        super().__init__()
        self.layer, self.last = nn.Linear(3, 3), nn.Linear(3, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        for _ in range(2):  # the same weights twice
            x = x + torch.tanh(self.layer(input=x))
        return self.last(x).sum((1, 2))


class TokenEinsum(nn.Module):
    """Real weights contracted at every token."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(3, 4))

    def forward(self, x: Tensor) -> Tensor:
        return torch.einsum("bti,io->bto", x, self.weight).square().sum((1, 2))


def _flattened(*layers: nn.Module) -> nn.Module:
    return nn.Sequential(*layers, nn.Flatten(), nn.LazyLinear(1))


def _strided() -> nn.Module:
    return nn.Conv2d(2, 4, 3, stride=(2, 1), padding=(1, 2), dilation=(1, 2), bias=False)


def _perceptron(activation: nn.Module, outputs: int = 1, *, bias: bool = True) -> nn.Module:
    return nn.Sequential(nn.Linear(3, 8, bias), activation, nn.Linear(8, outputs))


MODULES: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "linear": (lambda: _perceptron(nn.SiLU()), (3,)),
    "in place": (lambda: _perceptron(nn.ReLU(inplace=True)), (3,)),
    "no bias": (lambda: _perceptron(nn.Tanh(), bias=False), (3,)),
    "tokens": (Tokens, (5, 3)),
    "token einsum": (TokenEinsum, (5, 3)),
    "conv1d": (lambda: _flattened(nn.Conv1d(2, 4, 3, stride=2, padding=1), nn.SiLU()), (2, 9)),
    "conv2d": (lambda: _flattened(_strided(), nn.SiLU(), nn.Conv2d(4, 2, 2)), (2, 7, 6)),
    "grouped": (
        lambda: _flattened(nn.Conv2d(4, 6, 3, padding="same", groups=2), nn.SiLU()),
        (4, 4, 3),
    ),
    "depthwise, circular": (
        lambda: _flattened(nn.Conv1d(3, 6, 3, 1, 1, groups=3, padding_mode="circular"), nn.SiLU()),
        (3, 5),
    ),
    "conv3d": (
        lambda: _flattened(nn.Conv3d(2, 2, 2, stride=2, padding=1), nn.SiLU()),
        (2, 4, 3, 4),
    ),
    "spectral": (lambda: _flattened(Spectral(3, 2), nn.Tanh(), nn.Conv2d(3, 1, 1)), (3, 6, 6)),
    "field": (lambda: _perceptron(nn.Tanh(), outputs=4), (3,)),
}


def example(name: str, n: int = 4) -> tuple[nn.Module, Tensor]:
    """Return a module with fixed weights, and points for it, shape (n, ...).

    The weights of its last layer are large, so that those before it make most of the kernel.
    """
    make, shape = MODULES[name]
    inputs = torch.randn(n, *shape, generator=Generator().manual_seed(3))
    with torch.random.fork_rng():
        torch.manual_seed(7)
        module = make()
        module(inputs)  # what is lazy gets its weights
    for part in list(module.children())[-1:]:
        part.load_state_dict({key: 10 * value for key, value in part.state_dict().items()})
    return module, inputs


def tangent_kernel(module: nn.Module, inputs: Tensor) -> Tensor:
    """Return the exact kernel summed over outputs, shape (n, n), by torch's own derivatives."""
    weights = {name: p.detach() for name, p in module.named_parameters()}
    real = {name: torch.view_as_real(p) if p.is_complex() else p for name, p in weights.items()}

    def outputs(values: dict[str, Tensor], point: Tensor) -> Tensor:
        swapped = {n: _complex(v) if weights[n].is_complex() else v for n, v in values.items()}
        answer: Tensor = functional_call(module, swapped, point[None])
        return answer.flatten()

    jacobians = vmap(jacrev(outputs), (None, 0))(real, inputs)
    gradients = torch.cat([part.flatten(2) for part in jacobians.values()], 2)
    return torch.einsum("aop,bop->ab", gradients, gradients)


def _complex(parts: Tensor) -> Tensor:
    return torch.complex(parts[..., 0], parts[..., 1])
