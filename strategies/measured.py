"""A learner beside the truth, sample by sample: the numbers that all metrics are made of.

[Li2021] Z. Li et al., Fourier neural operator for parametric partial differential equations,
ICLR 2021: the relative L2 error of a field.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from pools.errors import CampaignError
from surrogates.prediction import Learner, Prediction

if TYPE_CHECKING:  # torch takes seconds to load
    from pools.training import Block

Array = NDArray[np.float64]

HALF_WIDTH = float(norm.ppf(0.95))
"""Of the central 90 % interval, in standard deviations."""

_CONSTANT = 1e-9  # what varies, or is, less than this relative to its size is rounding noise


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """A few numbers a sample: of its fields, shape (m, c), and its quantities, shape (m, q)."""

    errors: Array
    norms: Array
    covered: Array
    mean: Array
    std: Array

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        return cls(
            *(
                np.concatenate([getattr(part, name) for part in parts])
                for name in ("errors", "norms", "covered", "mean", "std")
            )
        )

    @property
    def relative_l2(self) -> Array:
        """Relative errors [Li2021], shape (m, c).

        A truth that is zero, or the rounding noise of one, counts in units of the others' norm;
        a field that is always zero counts as it is.
        """
        typical = np.sqrt((self.norms**2).mean(0))  # (c,)
        otherwise = np.where(typical > 0, typical, 1.0)
        return self.errors / np.where(self.norms > _CONSTANT * typical, self.norms, otherwise)


def measure(learner: Learner, block: "Block") -> Measured:
    """Compare a learner with the truth of a few samples.

    Raises:
        CampaignError: a prediction is not finite.
    """
    predicted = learner.predict(block.parameters)
    _check_finite(predicted)
    weights = block.weights / block.weights.sum(1, keepdims=True, dtype=np.float64)  # (m, p)
    truth = block.fields.astype(np.float64)  # (m, p, c)
    error = np.abs(predicted.fields.mean - truth)
    return Measured(
        errors=np.sqrt(_by_area(weights, error**2)),
        norms=np.sqrt(_by_area(weights, truth**2)),
        covered=_by_area(weights, error <= HALF_WIDTH * predicted.fields.std),
        mean=predicted.quantities.mean,
        std=predicted.quantities.std,
    )


def _by_area(weights: Array, values: NDArray[Any]) -> Array:
    """Return means over the domain of values (m, p, c), shape (m, c)."""
    means: Array = np.einsum("mp,mpc->mc", weights, values, dtype=np.float64)
    return means


def _check_finite(predicted: Prediction) -> None:
    for part, estimate in (("quantities", predicted.quantities), ("fields", predicted.fields)):
        if not (np.isfinite(estimate.mean).all() and np.isfinite(estimate.std).all()):
            raise CampaignError(
                f"the learner's {part} are not finite on the test set; its training diverged: "
                "lower its learning rate, or look for non-finite values in the training pool"
            )


def scale(truth: Array) -> float:
    """Return what an error of this quantity is measured in: its spread, else its size, else 1."""
    return float(np.abs(truth).max() or 1.0) if is_constant(truth) else float(truth.std())


def is_constant(truth: Array) -> bool:
    """Whether a quantity does not vary over the samples, shape (m,)."""
    return bool(truth.std() <= _CONSTANT * np.abs(truth).max())
