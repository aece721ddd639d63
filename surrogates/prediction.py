"""What a surrogate says of samples, and the seam through which everybody asks it."""

from dataclasses import dataclass
from typing import Literal, Protocol, Self, runtime_checkable

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


@runtime_checkable
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


FeatureKind = Literal["gradients", "last_layer", "ensemble", "latent", "inputs"]
"""Which features of a point: sketched gradients of the outputs by the weights, the inputs of the
last layer, the members' centred outputs, an inner representation, or the normalised parameters."""


@runtime_checkable
class FeaturedLearner(Learner, Protocol):
    """A learner that can say how alike two points are to it."""

    def features(self, parameters: Array, kind: FeatureKind = "gradients") -> NDArray[np.float32]:
        """Return features of points, shape (n, d) to (n, D); their products are a kernel's.

        The same learner gives the same features of a point in every call, whatever the others.
        """
        ...


@runtime_checkable
class Committee(Learner, Protocol):
    """A learner of several members."""

    def members(self, parameters: Array) -> Array:
        """Return every member's normalised outputs, shape (n, d) to (e, n, outputs)."""
        ...


@runtime_checkable
class LevelLearner(Committee, Protocol):
    """A committee that learnt from several levels of a solver, and answers for the finest."""

    def at(self, below: int) -> Self:
        """Return the same learner, answering for the level so far below the finest."""
        ...


@runtime_checkable
class Classifier(Learner, Protocol):
    """A learner of classes."""

    def class_probabilities(self, parameters: Array) -> Array:
        """Return every member's probability of each class, shape (n, d) to (e, n, classes)."""
        ...
