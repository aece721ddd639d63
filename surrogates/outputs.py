"""What the numbers that a surrogate's networks put out mean, and how to read them back.

The outputs are quantities and POD coefficients, scaled so that the squared distance between two
outputs is the mean over quantities of the squared difference in units of their variance over the
pool, and the area-weighted mean of that of the fields; each counts half where both exist. So the
networks' loss is that mean error, and the variance of the outputs that uncertainty.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from surrogates.pod import Pod

_CONSTANT = 1e-9  # a quantity that varies less than this, relative to its size, is constant


@dataclass(frozen=True, slots=True, eq=False)
class Outputs:
    """The scaling of the outputs, shape (..., q + r), double precision.

    Attributes:
        mean: the pool's mean of the quantities, in physical units, shape (q,).
        std: their standard deviation over the pool, shape (q,); zero for one that is constant.
        balance: outputs per standard deviation and per POD coefficient, shape (q + r,).
        pod: the basis of the fields.
    """

    mean: Tensor
    std: Tensor
    balance: Tensor
    pod: Pod

    @classmethod
    def of(cls, quantities: Tensor, pod: Pod) -> "Outputs":
        """Derive the scaling from the pool's quantities, shape (m, q), and the basis."""
        mean = quantities.mean(0)
        std = (quantities - mean).square().mean(0).sqrt()
        varying = std > _CONSTANT * quantities.abs().amax(0)
        share = 0.5 if bool(varying.any()) and pod.rank else 1.0
        each = (share / varying.double().sum().clamp_min(1)).sqrt().expand(len(std))
        balance = torch.cat([each, torch.full((pod.rank,), share**0.5, dtype=torch.float64)])
        return cls(mean, torch.where(varying, std, 0), balance, pod)

    @property
    def size(self) -> int:
        """The number q + r of outputs."""
        return len(self.balance)

    @property
    def varying(self) -> Tensor:
        """Which outputs vary over the pool, shape (q + r,); the others are zero."""
        return torch.cat([self.std > 0, torch.ones(self.pod.rank, dtype=torch.bool)])

    def encode(self, quantities: Tensor, coefficients: Tensor) -> Tensor:
        """Return outputs of quantities (m, q) and POD coefficients (m, r), shape (m, q + r)."""
        return (
            torch.cat([_ratio(quantities - self.mean, self.std), coefficients], 1) * self.balance
        )

    def quantity_changes(self, outputs: Tensor) -> Tensor:
        """Return the quantities' departures from their mean, shape (..., q + r) to (..., q)."""
        return self.std * self._split(outputs)[0]

    def coefficients(self, outputs: Tensor) -> Tensor:
        """Return the POD coefficients, shape (..., q + r) to (..., r)."""
        return self._split(outputs)[1]

    def _split(self, outputs: Tensor) -> tuple[Tensor, Tensor]:
        scaled, q = outputs / self.balance, len(self.mean)
        return scaled[..., :q], scaled[..., q:]


def conversion(old: Outputs, new: Outputs) -> tuple[Tensor, Tensor]:
    """Return the matrix and the offset that turn old outputs into new ones.

    Exact where the new basis holds the old one and the change of the mean field; else the fields
    are projected.

    Returns:
        The matrix, shape (old outputs, new outputs), and the offset, shape (new outputs,).
    """
    offset = new.encode(
        old.mean[None], new.pod.project(old.pod.mean[None])
    )  # (1, new outputs): what an old output of zero is
    q = len(new.mean)
    matrix = torch.zeros(old.size, new.size, dtype=torch.float64)
    matrix[:q, :q] = _ratio(old.std, new.std).diag()
    matrix[q:, q:] = new.pod.project_change(old.pod.modes)  # (old r, new r)
    return matrix * new.balance / old.balance[:, None], offset[0]


def _ratio(values: Tensor, std: Tensor) -> Tensor:
    """Divide by the standard deviation; zero where that is zero."""
    return torch.where(std > 0, values / std.where(std > 0, 1), 0)
