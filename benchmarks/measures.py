"""How large the errors of single samples are, of fields and quantities together.

[Li2021] Z. Li et al., Fourier neural operator for parametric partial differential equations,
ICLR 2021: the relative L2 error of a field.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from pools.training import TrainingPool
from strategies.measured import Measured, measure, scale
from surrogates.prediction import Learner

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Errors:
    """What the mean error hides.

    Attributes:
        nrmse: mean over outputs of the root mean square error over the output's size: a field's
            root mean square, a quantity's standard deviation.
        q50: median over the samples of a sample's error: the mean over its outputs of a field's
            relative L2 error [Li2021] and a quantity's error over its standard deviation.
        q95: 95 % quantile of the same.
        q99: 99 % quantile.
        worst: the largest.
    """

    nrmse: float
    q50: float
    q95: float
    q99: float
    worst: float

    @classmethod
    def of(cls, learner: Learner, pool: TrainingPool) -> Self:
        """Measure a learner on all samples of a pool."""
        return cls.from_measured(*_measured(learner, pool))

    @classmethod
    def from_measured(cls, measured: Measured, scaled: Array, sizes: Array) -> Self:
        """Summarise errors.

        Args:
            measured: predictions of the quantities and errors of the fields.
            scaled: true quantities over their sizes, shape (m, q).
            sizes: what errors of the quantities are measured in, shape (q,).
        """
        off = np.abs(measured.mean / sizes - scaled)  # (m, q)
        norms = np.sqrt((measured.norms**2).mean(0))  # (c,)
        fields = np.sqrt((measured.errors**2).mean(0)) / np.where(norms > 0, norms, 1.0)
        outputs = np.concatenate([fields, np.sqrt((off**2).mean(0))])  # (c + q,)
        each = _each(measured, off)
        return cls(float(outputs.mean()), *np.quantile(each, [0.5, 0.95, 0.99, 1.0]).tolist())


def sample_errors(learner: Learner, pool: TrainingPool) -> Array:
    """Return the error of each sample of a pool, as `Errors` has it, shape (m,)."""
    measured, scaled, sizes = _measured(learner, pool)
    return _each(measured, np.abs(measured.mean / sizes - scaled))


def _measured(learner: Learner, pool: TrainingPool) -> tuple[Measured, Array, Array]:
    """Return what `Errors.from_measured` takes."""
    measured = Measured.joined([measure(learner, block) for block in pool.blocks()])
    sizes = np.array([scale(truth) for truth in pool.quantities.T])  # (q,)
    return measured, pool.quantities / sizes, sizes


def _each(measured: Measured, off: Array) -> Array:
    """Return the mean over outputs of the errors of each sample, shape (m,)."""
    each: Array = np.concatenate([measured.relative_l2, off], 1).mean(1)
    return each
