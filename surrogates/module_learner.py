"""Any torch module, or a committee of them, as a learner that acquisition functions may ask."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from pools.errors import UsageError
from pools.space import ParameterSpace
from surrogates.ensemble_gradients import member_settings
from surrogates.layer_calls import evaluating
from surrogates.module_inputs import as_inputs, checked
from surrogates.network_features import unknown_kind
from surrogates.parameter_rows import rows_of
from surrogates.plain_features import ensemble_features, layer_inputs, mean_kernel
from surrogates.prediction import Estimate, FeatureKind, Prediction
from surrogates.sketched_gradients import DEFAULT, SketchSettings, sketched_gradients
from surrogates.surrogate import inputs_of

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class ModuleLearner:
    """A `FeaturedLearner` and a `Committee` of torch modules.

    A module takes normalised points, shape (b, space.width) in [-1, 1], and returns quantities,
    shape (b,) or (b, q), or fields: (b, p, c), or on a grid with channels first,
    (b, c, ny, nx[, nz]).

    Attributes:
        space: the parameters.
        modules: one module, or several that answer the same question.
        scale: standard deviation of each output over the training data, of a shape that goes with
            one point's outputs; what the outputs are measured in where they are compared.
        latent_layer: the part of the module whose inputs are the `latent` features; None for the
            last layer.
        sketch: how gradients are sketched, and how many points are evaluated at once.
    """

    space: ParameterSpace
    modules: nn.Module | Sequence[nn.Module]
    scale: Array | float = 1.0
    latent_layer: str | None = None
    sketch: SketchSettings = DEFAULT

    def __post_init__(self) -> None:
        if not self._members:
            raise UsageError("a learner of no modules; give one or more")
        if not (np.isfinite(self.scale).all() and np.greater(self.scale, 0).all()):
            raise UsageError(
                "scale holds numbers that are not above 0; give each output's standard deviation "
                "over the training data, and 1 for an output that does not vary"
            )

    def outputs(self, parameters: Array) -> Array:
        """Return what every module returns, shape (n, d) to (e, n, ...)."""
        blocks = [self._evaluate(rows) for rows in self._rows(parameters)]
        return np.concatenate(blocks, 1)

    def predict(self, parameters: Array) -> Prediction:
        """Predict the members' mean and their standard deviation, zero for one member."""
        blocks = [summary(self._evaluate(rows)) for rows in self._rows(parameters)]
        mean = np.concatenate([block.mean for block in blocks])  # (n, ...)
        std = np.concatenate([block.std for block in blocks])
        n = len(parameters)
        if mean.ndim == 2:
            return Prediction(
                Estimate(mean, std), Estimate(np.empty((n, 0, 0)), np.empty((n, 0, 0)))
            )
        none = Estimate(np.empty((n, 0)), np.empty((n, 0)))
        return Prediction(none, Estimate(_field(mean), _field(std)))

    def uncertainty(self, parameters: Array) -> Array:
        """Return the members' variance, the mean over outputs in units of `scale`, shape (n,).

        Raises:
            UsageError: there is one module, or `parameters` does not have `d` columns.
        """
        if len(self._members) < 2:
            raise UsageError(
                "uncertainty asked of 1 module, which has none; give several, trained from "
                "different weights, or use a query strategy that needs no uncertainty"
            )
        blocks = [self._normalised(rows).var(0, ddof=1) for rows in self._rows(parameters)]
        return np.concatenate([values.sum(-1) for values in blocks])

    def members(self, parameters: Array) -> Array:
        """Return normalised outputs, shape (n, d) to (e, n, outputs).

        The squared distance of two is the mean squared difference in units of `scale`.
        """
        return np.concatenate([self._normalised(rows) for rows in self._rows(parameters)], 1)

    def features(self, parameters: Array, kind: FeatureKind = "gradients") -> NDArray[np.float32]:
        """Return features of points, shape (n, d) to (n, D), of the normalised outputs.

        Raises:
            UsageError: the kind is unknown or not to be had of these modules, or `parameters`
                does not have `d` columns.
        """
        inputs = torch.cat([inputs_of(rows, self.space) for rows in self._rows(parameters)])
        match kind:
            case "gradients":
                return self._gradients(inputs).numpy()
            case "last_layer":
                return self._seen(inputs, None).numpy()
            case "latent":
                return self._seen(inputs, self.latent_layer).numpy()
            case "ensemble":
                return ensemble_features(torch.from_numpy(self.members(parameters))).numpy()
            case "inputs":
                return inputs.float().numpy()
        raise UsageError(unknown_kind(kind))

    @property
    def _members(self) -> list[nn.Module]:
        """The modules; a `ModuleList`, which is one itself, is several."""
        if isinstance(self.modules, nn.ModuleList) or not isinstance(self.modules, nn.Module):
            return list(self.modules)
        return [self.modules]

    def _rows(self, parameters: Array) -> list[Array]:
        """Cut points into blocks; no points are one block, which tells the outputs' shape."""
        return rows_of(parameters, self.space, self.sketch.block) or [parameters]

    def _evaluate(self, parameters: Array) -> Array:
        inputs = inputs_of(parameters, self.space)
        return np.stack([_answer(module, inputs) for module in self._members])

    def _normalised(self, parameters: Array) -> Array:
        """Return a block of `members`, shape (b, d) to (e, b, outputs)."""
        outputs = self._evaluate(parameters)  # (e, b, ...)
        count = math.prod(outputs.shape[2:])
        return (outputs / self.scale).reshape(*outputs.shape[:2], count) / math.sqrt(count)

    def _gradients(self, inputs: Tensor) -> Tensor:
        members, scale = self._members, torch.as_tensor(self.scale)
        features = torch.empty(len(inputs), self.sketch.width)
        for index, settings in enumerate(member_settings(self.sketch, len(members))):
            scaled = _Scaled(members[index], scale)
            sketch = sketched_gradients(scaled, inputs, settings)
            features[:, index :: len(members)] = sketch / math.sqrt(len(members))
        return features

    def _seen(self, inputs: Tensor, layer: str | None) -> Tensor:
        block = self.sketch.block
        return mean_kernel([layer_inputs(m, inputs, layer, block) for m in self._members])


class _Scaled(nn.Module):
    """A module whose outputs are normalised: squared distances are means over the outputs."""

    def __init__(self, module: nn.Module, scale: Tensor) -> None:
        super().__init__()
        self.module = module
        self.scale = scale

    def forward(self, inputs: Tensor) -> Tensor:
        outputs = checked(self.module(inputs), inputs)
        return outputs / self.scale.to(outputs) / math.sqrt(outputs[0].numel())


def _answer(module: nn.Module, inputs: Tensor) -> Array:
    """Return what a module says of points, shape (b, d) to (b, ...)."""
    with torch.no_grad(), evaluating(module):
        [rows] = as_inputs(module, inputs, max(len(inputs), 1))
        return checked(module(rows), rows).double().cpu().numpy()


def summary(outputs: Array) -> Estimate:
    """Summarise members' outputs, shape (e, b, ...) to (b, ...); one deviates from nothing."""
    one = len(outputs) == 1
    deviation = np.zeros(outputs.shape[1:]) if one else outputs.std(0, ddof=1)
    return Estimate(outputs.mean(0), deviation)


def _field(values: Array) -> Array:
    """Return fields as (n, p, c), from that or from a grid with channels first."""
    if values.ndim == 3:
        return values
    n, c, *grid = values.shape
    return np.moveaxis(values.reshape(n, c, math.prod(grid)), 1, 2)
