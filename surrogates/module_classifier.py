"""Any torch module that tells classes apart, or a committee of them, as a learner."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from pools.errors import UsageError
from pools.space import ParameterSpace
from surrogates.module_learner import ModuleLearner, summary
from surrogates.prediction import Estimate, Prediction

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class ModuleClassifier:
    """A `Classifier` of torch modules that return a logit for each class, shape (b, classes).

    Attributes:
        space: the parameters; a module takes points normalised to [-1, 1], shape (b, d).
        modules: one module, or several that tell the same classes apart.
    """

    space: ParameterSpace
    modules: nn.Module | Sequence[nn.Module]

    def class_probabilities(self, parameters: Array) -> Array:
        """Return every member's softmax, shape (n, d) to (e, n, classes).

        Raises:
            UsageError: a module returns something else than two or more logits for each point.
        """
        logits = ModuleLearner(self.space, self.modules).outputs(parameters)
        if logits.ndim != 3 or logits.shape[2] < 2:
            raise UsageError(
                f"the module returned shape {logits.shape[2:]} for a point; a classifier returns "
                "a logit for each of two or more classes: give [0, logit] for one of two"
            )
        return torch.from_numpy(logits).softmax(-1).numpy()

    def predict(self, parameters: Array) -> Prediction:
        """Predict the probabilities as quantities: the members' mean and standard deviation."""
        members = self.class_probabilities(parameters)
        none = np.empty((len(parameters), 0, 0))
        return Prediction(summary(members), Estimate(none, none))

    def uncertainty(self, parameters: Array) -> Array:
        """Return the members' variance of the probabilities, their mean over classes, (n,).

        Raises:
            UsageError: there is one module.
        """
        members = self.class_probabilities(parameters)
        if len(members) < 2:
            raise UsageError(
                "uncertainty asked of 1 module, which has none; give several, trained from "
                "different weights, or use a query strategy on class probabilities, as entropy"
            )
        variance: Array = np.square(summary(members).std).mean(-1)
        return variance
