"""What a surrogate says of samples, and the seam through which everybody asks it."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Estimate:
    """Mean and standard deviation over the ensemble, of equal shape, in physical units."""

    mean: Array
    std: Array


@dataclass(frozen=True, slots=True, eq=False)
class Prediction:
    """Predicted quantities, shape (n, q), and fields, shape (n, p, c)."""

    quantities: Estimate
    fields: Estimate


class Learner(Protocol):
    """The surrogate as query and metrology strategies see it."""

    def predict(self, parameters: Array) -> Prediction:
        """Predict quantities (n, q) and fields (n, p, c) at `parameters`, shape (n, d)."""
        ...

    def uncertainty(self, parameters: Array) -> Array:
        """Return one variance per point, shape (n,), without ever forming the fields.

        The mean over outputs of the ensemble variance, in units of each output's variance over the
        training pool: fields weighted by area; half from the fields, half from the quantities
        where both exist.
        """
        ...
