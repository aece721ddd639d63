"""A Gaussian process that is linear in features, as points are observed.

[Rasmussen2006] C. E. Rasmussen and C. K. I. Williams, Gaussian processes for machine learning,
MIT Press, 2006, section 2.1.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from pools.errors import UsageError
from strategies.cover import Features

Array = NDArray[np.float64]

_ROWS = 8192


@dataclass(slots=True, eq=False)
class Posterior:
    """Bayesian linear regression in feature space [Rasmussen2006].

    The prior variance is 1 in the mean over the candidates, whatever the features' scale.

    Attributes:
        rows: scaled features of the candidates, shape (n, D).
        covariance: of the weights, given what was observed, shape (D, D).
        variances: of the function at each candidate, shape (n,).
        noise: variance of an observation, relative to the prior's.
    """

    rows: Features
    covariance: Array
    variances: Array
    noise: float

    @classmethod
    def of(cls, candidates: Features, labelled: Features, sigma: float) -> Self:
        """Observe labelled points, shape (m, D), with noise of standard deviation `sigma`.

        Raises:
            UsageError: there is no noise, so that no point could be observed twice.
        """
        if not sigma > 0:
            raise UsageError(
                f"the noise is {sigma}; it is a standard deviation relative to the prior's, "
                "above zero, such as 0.01"
            )
        scale = _scale(candidates)
        rows, known = candidates * scale, labelled * scale
        covariance = _inverse(gram(known) / sigma**2 + np.eye(rows.shape[1]))
        return cls(rows, covariance, quadratic(rows, covariance), sigma**2)

    def gain(self, index: int) -> tuple[Array, Array]:
        """Return the direction that observing a candidate settles, shape (D,), and its share.

        The covariance falls by the outer product of the direction; each candidate's variance by
        the square of its share, shape (n,).
        """
        spread = self.covariance @ self.rows[index]
        direction = spread / np.sqrt(self.noise + max(self.rows[index] @ spread, 0.0))
        return direction, (self.rows @ direction.astype(np.float32)).astype(np.float64)

    def observe(self, direction: Array, share: Array) -> None:
        """Take a candidate as observed, given its `gain`."""
        self.covariance -= np.outer(direction, direction)
        self.variances -= share**2
        np.maximum(self.variances, 0, out=self.variances)


def gram(rows: Features) -> Array:
    """Return the sum of the rows' outer products, shape (n, D) to (D, D)."""
    total = np.zeros((rows.shape[1], rows.shape[1]))
    for start in range(0, len(rows), _ROWS):
        block = rows[start : start + _ROWS].astype(np.float64)
        total += block.T @ block
    return total


def quadratic(rows: Features, matrix: Array) -> Array:
    """Return x M x of each row, shapes (n, D) and (D, D) to (n,)."""
    values = np.empty(len(rows))
    for start in range(0, len(rows), _ROWS):
        block = rows[start : start + _ROWS].astype(np.float64)
        values[start : start + _ROWS] = np.einsum("ij,ij->i", block @ matrix, block)
    return values


def _inverse(precision: Array) -> Array:
    inverse = np.linalg.inv(precision)
    symmetric: Array = np.asarray((inverse + inverse.T) / 2, np.float64)
    return symmetric


def _scale(candidates: Features) -> np.float32:
    """Return the factor that makes the mean of the squared norms 1; 1 where all are zero."""
    squares = np.einsum("ij,ij->", candidates, candidates, dtype=np.float64)
    return np.float32(np.sqrt(len(candidates) / squares) if squares > 0 else 1.0)
