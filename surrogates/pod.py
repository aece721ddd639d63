"""Proper orthogonal decomposition of the fields of a pool, in a stream.

The inner product of two fields is the mean over channels of their area-weighted mean product, each
channel in units of its own variance over the pool. So the pool's fields have a total variance of
one, and a squared distance between coefficients is an area-weighted mean squared difference.

Three passes over the pool: moments (the inner product depends on them), modes, coefficients. The
modes come from the sequential Karhunen-Loeve transform, which merges one block after the other
into a small set of leading directions: memory is that set and one block, whatever the pool's size.
The method of snapshots would need the product of every block with every other.

[Sirovich1987] L. Sirovich, Turbulence and the dynamics of coherent structures, Quarterly of
Applied Mathematics 45(3), 1987.
[Levy2000] A. Levy and M. Lindenbaum, Sequential Karhunen-Loeve basis extraction, IEEE Transactions
on Image Processing 9(8), 2000.
[Chan1979] T. F. Chan, G. H. Golub and R. J. LeVeque, Updating formulae and a pairwise algorithm
for computing sample variances, Stanford STAN-CS-79-773, 1979.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from pools.training import TrainingPool

_CONSTANT = 1e-6  # a channel that varies less than this, relative to its size, is rounding noise
_LIGHTEST = 1e-9  # floor of a point's weight relative to the mean, so that no point is lost
_FAINTEST = 1e-12  # a mode with less of the variance than this is rounding noise
_OVERSAMPLING = 2  # directions carried along per mode wanted: what is cut early may matter later


@dataclass(frozen=True, slots=True, eq=False)
class Pod:
    """An orthonormal basis of the fields on the fixed mesh [Sirovich1987], double precision.

    Attributes:
        mean: the pool's mean field, in physical units, shape (p, c).
        modes: the modes, in physical units, shape (r, p, c); zero in a channel that is constant.
        metric: weight of each value in the inner product, shape (p, c); zero likewise.
    """

    mean: Tensor
    modes: Tensor
    metric: Tensor

    @property
    def rank(self) -> int:
        """The number `r` of modes."""
        return len(self.modes)

    def project(self, fields: Tensor) -> Tensor:
        """Return the coefficients of fields in physical units, shape (m, p, c) to (m, r)."""
        return self.project_change(fields - self.mean)

    def project_change(self, changes: Tensor) -> Tensor:
        """Return the coefficients of differences of fields, shape (m, p, c) to (m, r)."""
        return (changes * self.metric).flatten(1) @ self.modes.flatten(1).T

    def reconstruct(self, coefficients: Tensor) -> Tensor:
        """Return the fields in physical units, shape (..., r) to (..., p, c)."""
        return self.mean + self.reconstruct_change(coefficients)

    def reconstruct_change(self, coefficients: Tensor) -> Tensor:
        """Return the departures from the mean field, shape (..., r) to (..., p, c)."""
        flat = coefficients @ self.modes.flatten(1)  # (..., p * c)
        return flat.reshape(*coefficients.shape[:-1], *self.mean.shape)


def fit_pod(pool: TrainingPool, modes: int, energy: float, *, block: int = 32) -> Pod:
    """Compute the leading modes of the pool's fields [Levy2000].

    Args:
        pool: at least one sample.
        modes: most modes to keep.
        energy: fraction of the variance after which no more modes are kept, in (0, 1].
        block: samples held in memory at once.
    """
    mean, variance, weights = _moments(pool, block)
    metric = _metric(mean, variance, weights)
    root = metric.sqrt()
    shares, directions = _leading(pool, mean, root, keep=_OVERSAMPLING * modes, block=block)
    rank = min(modes, _needed(shares / len(pool), energy))
    flat = torch.where(root > 0, 1 / root, 0).flatten() * _oriented(directions[:rank])  # (r, p c)
    # A transposed memory layout would change the last digits of products once saved and loaded.
    return Pod(mean=mean, modes=flat.contiguous().reshape(rank, *mean.shape), metric=metric)


def coefficients(pool: TrainingPool, pod: Pod, *, block: int = 32) -> Tensor:
    """Return the coefficients of all samples of the pool, shape (m, r)."""
    rows = [pod.project(torch.from_numpy(b.fields).double()) for b in pool.blocks(block)]
    return torch.cat(rows)


def _moments(pool: TrainingPool, block: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return mean (p, c), variance (p, c) and mean weights (p,) of the pool [Chan1979]."""
    shape = (pool.schema.points, len(pool.schema.fields))
    count, mean, squares = 0, torch.zeros(shape).double(), torch.zeros(shape).double()
    weights = torch.zeros(shape[0]).double()
    for part in pool.blocks(block):
        fields = torch.from_numpy(part.fields).double()  # (b, p, c)
        change = fields.mean(0) - mean
        total = count + len(fields)
        squares += ((fields - fields.mean(0)) ** 2).sum(0)
        squares += change**2 * (count * len(fields) / total)
        mean += change * (len(fields) / total)
        weights += torch.from_numpy(part.weights).double().sum(0)
        count = total
    return mean, squares / count, weights / count


def _metric(mean: Tensor, variance: Tensor, weights: Tensor) -> Tensor:
    """Return the weight of each value in the inner product, shape (p, c)."""
    share = weights.clamp_min(_LIGHTEST * float(weights.mean()))
    share = (share / share.sum())[:, None]  # (p, 1)
    power = (share * variance).sum(0)  # (c,)
    size = (share * (variance + mean**2)).sum(0)
    varies = power > _CONSTANT**2 * size
    return torch.where(varies, share / power.where(varies, 1), 0) / varies.sum().clamp_min(1)


def _leading(
    pool: TrainingPool, mean: Tensor, root: Tensor, *, keep: int, block: int
) -> tuple[Tensor, Tensor]:
    """Return squared singular values (k,) and right singular vectors (k, p c) of the pool."""
    values, directions = torch.zeros(0).double(), torch.zeros(0, mean.numel()).double()
    for part in pool.blocks(block):
        snapshots = ((torch.from_numpy(part.fields).double() - mean) * root).flatten(1)
        merged = torch.cat([values[:, None] * directions, snapshots])  # (k + b, p c)
        # The SVD of the transpose is the same, but LAPACK is five times faster with tall matrices.
        columns, values, _ = torch.linalg.svd(merged.T, full_matrices=False)
        values, directions = values[:keep], columns.T[:keep]
    return values**2, directions


def _needed(shares: Tensor, energy: float) -> int:
    """Return how many modes hold this fraction of the total variance, which is one or zero."""
    present = int((shares > _FAINTEST).sum())
    return min(present, int((shares.cumsum(0) < energy).sum()) + 1)


def _oriented(directions: Tensor) -> Tensor:
    """Return the rows with their largest entry made positive, so that signs are reproducible."""
    if not directions.numel():
        return directions
    peak = directions.gather(1, directions.abs().argmax(1, keepdim=True))  # (k, 1)
    return directions * peak.sign()
