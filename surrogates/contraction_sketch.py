"""The gradient sketch of weights that `torch.einsum` contracts, as spectral convolutions do.

[Li2021] Z. Li et al., Fourier neural operator for parametric partial differential equations,
ICLR 2021.
"""

from dataclasses import dataclass
from math import prod

import torch
from torch import Generator, Tensor

from surrogates.layer_sketch import Matrices, gaussians


@dataclass(frozen=True, slots=True)
class ContractionSketch:
    """Weights with their own matrix for each mode, as in "bixy,ioxy->boxy" [Li2021].

    All modes share the projections; independent random signs keep them apart. Of complex weights
    the real and the imaginary part are weights of their own, with signs of their own.

    Attributes:
        seen: labels of the inputs, the batch first.
        made: labels of the outputs, the batch first.
        sizes: how long the axis of each of the weights' labels is.
    """

    seen: str
    made: str
    sizes: tuple[tuple[str, int], ...]

    def draw(self, width: int, generator: Generator) -> Matrices:
        sizes = (self._size(self._inner), self._size(self._outer))
        bits = torch.randint(2, (width, self._size(self._modes), 2), generator=generator)
        signs = 2.0 * bits - 1
        return (*gaussians(width, sizes, generator), signs)  # (D, in), (D, out), (D, modes, 2)

    def positions(self, gradient: Tensor) -> int:
        return 4 * gradient[0].numel() // self._size(self._outer)  # complex, and a product

    def contribution(self, inputs: Tensor, gradient: Tensor, matrices: Matrices) -> Tensor:
        left, right, signs = matrices
        there = self._places + self._modes
        seen = _arranged(inputs, self.seen, there, self._inner) @ left.T.to(inputs.dtype)
        change = _arranged(gradient, self.made, there, self._outer) @ right.T.to(gradient.dtype)
        product = seen.conj() * change  # (b, places * modes, D)
        modes = product.reshape(len(inputs), -1, signs.shape[1], len(left)).sum(1)
        sketch = (modes.real * signs[..., 0].T).sum(1)  # (b, modes, D) to (b, D)
        return sketch + (modes.imag * signs[..., 1].T).sum(1) if modes.is_complex() else sketch

    @property
    def _weights(self) -> str:
        return "".join(label for label, _ in self.sizes)

    @property
    def _inner(self) -> str:
        return "".join(label for label in self._weights if label not in self.made)

    @property
    def _outer(self) -> str:
        return "".join(label for label in self._weights if label not in self.seen)

    @property
    def _modes(self) -> str:
        return "".join(x for x in self._weights if x in self.seen and x in self.made)

    @property
    def _places(self) -> str:
        return "".join(label for label in self.seen[1:] if label not in self._weights)

    def _size(self, labels: str) -> int:
        return prod(size for label, size in self.sizes if label in labels)


def contraction_sketch(
    equation: str, inputs: Tensor, weights: Tensor, *, weights_first: bool
) -> ContractionSketch | None:
    """Tell how to sketch the gradient of weights of an `einsum` of two operands.

    Returns:
        None where the equation is not linear point by point: no batch axis that comes first in
        inputs and outputs, an axis that is summed over by itself, or an implied output.
    """
    terms = equation.replace(" ", "").replace("->", ",").split(",")
    if len(terms) != 3 or "." in equation:
        return None
    first, second, made = terms
    seen, held = (second, first) if weights_first else (first, second)
    sketch = ContractionSketch(seen, made, tuple(zip(held, weights.shape, strict=True)))
    return sketch if inputs.ndim == len(seen) and _is_pointwise(seen, held, made) else None


def _is_pointwise(seen: str, held: str, made: str) -> bool:
    terms = (seen, held, made)
    batch = seen[:1] == made[:1] != "" and seen[0] not in held
    shared = all(sum(label in term for term in terms) > 1 for label in "".join(terms))
    return batch and shared and all(len(set(term)) == len(term) for term in terms)


def _arranged(values: Tensor, labels: str, there: str, last: str) -> Tensor:
    """Order axes by labels, shape (b, ...) to (b, places * modes, features)."""
    moved = values.permute([labels.index(label) for label in labels[0] + there + last])
    split = 1 + len(there)
    return moved.reshape(len(values), prod(moved.shape[1:split]), prod(moved.shape[split:]))
