"""The trained surrogate: a deep ensemble for quantities and POD coefficients of the fields.

[Lakshminarayanan2017] B. Lakshminarayanan, A. Pritzel and C. Blundell, Simple and scalable
predictive uncertainty estimation using deep ensembles, NeurIPS 2017.
[Sirovich1987] L. Sirovich, Turbulence and the dynamics of coherent structures, Quarterly of
Applied Mathematics 45(3), 1987.
"""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pools.errors import UsageError
from pools.shard import PoolSchema
from pools.space import ParameterSpace
from surrogates.ensemble import Network
from surrogates.network_features import network_features
from surrogates.outputs import Outputs
from surrogates.parameter_rows import rows_of
from surrogates.prediction import Estimate, FeatureKind, Prediction
from surrogates.settings import EnsembleSettings
from surrogates.threads import torch_threads

Array = NDArray[np.float64]

_ROWS = 8192  # points evaluated at once
_VALUES = 1 << 22  # field values of all members formed at once


@dataclass(frozen=True, slots=True, eq=False)
class EnsembleSurrogate:
    """A `Learner`: the mean of a deep ensemble [Lakshminarayanan2017] on POD [Sirovich1987].

    Every answer is computed on `settings.threads` threads, whatever the caller runs torch on.

    Attributes:
        space: the parameters that it was trained over.
        schema: names and units of the quantities and the fields.
        settings: how it was trained.
        network: the members.
        outputs: what their outputs mean.
        levels: how many levels of the solver it learnt from; of several, the level is an input.
        below: how many levels below the finest it answers for.
    """

    space: ParameterSpace
    schema: PoolSchema
    settings: EnsembleSettings
    network: Network
    outputs: Outputs
    levels: int = 1
    below: int = 0

    def at(self, below: int) -> Self:
        """Return the same networks, answering for the level so far below the finest.

        Raises:
            UsageError: it has not learnt so many levels.
        """
        if not 0 <= below < self.levels:
            raise UsageError(
                f"asked for the level {below} below the finest, of a surrogate that learnt from "
                f"{self.levels}; ask for 0 to {self.levels - 1}"
            )
        return replace(self, below=below)

    def predict(self, parameters: Array) -> Prediction:
        """Predict the ensemble's mean and standard deviation, in physical units.

        The standard deviation is the sample's (n - 1), and zero for an ensemble of one.

        Args:
            parameters: points in their own units, shape (n, d).

        Returns:
            Quantities, shape (n, q), and fields, shape (n, p, c).

        Raises:
            UsageError: `parameters` does not have `d` columns.
        """
        outputs = torch.from_numpy(self.members(parameters))  # (e, n, q + r)
        with torch_threads(self.settings.threads):
            return Prediction(
                _estimate(self.outputs.mean, self.outputs.quantity_changes(outputs)),
                self._fields(self.outputs.coefficients(outputs)),
            )

    def members(self, parameters: Array) -> Array:
        """Return every member's normalised outputs, quantities then POD coefficients.

        The squared distance between two outputs is the mean squared difference of quantities and
        fields in units of their variance over the pool (see `surrogates.outputs`).

        Args:
            parameters: points in their own units, shape (n, d).

        Returns:
            Shape (e, n, q + r).

        Raises:
            UsageError: `parameters` does not have `d` columns.
        """
        with torch_threads(self.settings.threads):
            blocks = [self._evaluate(rows) for rows in rows_of(parameters, self.space, _ROWS)]
        return np.concatenate(
            [np.empty((self.network.members, 0, self.outputs.size)), *map(Tensor.numpy, blocks)], 1
        )

    def uncertainty(self, parameters: Array) -> Array:
        """Return the ensemble's variance at each point, in units of the pool's variance.

        The mean over outputs: half from the quantities, half from the fields (by area) where both
        exist. It is the sum of the variances of the normalised outputs, as the POD basis is
        orthonormal: no field is formed.

        Args:
            parameters: points in their own units, shape (n, d).

        Returns:
            Shape (n,), without unit.

        Raises:
            UsageError: the ensemble has one member, or `parameters` does not have `d` columns.
        """
        if self.network.members < 2:
            raise UsageError(
                "uncertainty asked of an ensemble of 1 member, which has none; set members to 2 "
                "or more, or use a query strategy that needs no uncertainty"
            )
        with torch_threads(self.settings.threads):
            blocks = [
                _variance(self._evaluate(rows)).sum(-1)
                for rows in rows_of(parameters, self.space, _ROWS)
            ]
        return np.concatenate([np.empty(0), *map(Tensor.numpy, blocks)])

    def features(self, parameters: Array, kind: FeatureKind = "gradients") -> NDArray[np.float32]:
        """Return features of points, of the normalised outputs: see `network_features`.

        So in a product of gradients an output counts as much as in the uncertainty.

        Args:
            parameters: points in their own units, shape (n, d).
            kind: which features.

        Returns:
            Shape (n, D).

        Raises:
            UsageError: the kind is unknown, or asks for more members than there are, or
                `parameters` does not have `d` columns.
        """
        blocks = rows_of(parameters, self.space, _ROWS)
        inputs = [self._inputs(rows) for rows in blocks]
        empty = torch.empty(0, self.network.sizes[0])
        with torch_threads(self.settings.threads):
            return network_features(self.network, torch.cat([empty, *inputs]), kind)

    def _evaluate(self, parameters: Array) -> Tensor:
        """Return the members' outputs in double precision, shape (e, n, q + r)."""
        inputs = self._inputs(parameters)  # (n, inputs)
        with torch.no_grad():
            return self.network(inputs.expand(self.network.members, -1, -1)).double()

    def _inputs(self, parameters: Array) -> Tensor:
        """Return what the networks see of points at this level, shape (n, inputs)."""
        below = np.full(len(parameters), self.below)
        return with_level(inputs_of(parameters, self.space), below, self.levels).float()

    def _fields(self, coefficients: Tensor) -> Estimate:
        """Form mean and standard deviation of the fields of coefficients, shape (e, n, r)."""
        pod = self.outputs.pod
        members, n, _ = coefficients.shape
        estimate = Estimate(np.empty((n, *pod.mean.shape)), np.empty((n, *pod.mean.shape)))
        size = max(1, _VALUES // (members * max(pod.mean.numel(), 1)))
        for start in range(0, n, size):
            rows = slice(start, start + size)
            part = _estimate(pod.mean, pod.reconstruct_change(coefficients[:, rows]))
            estimate.mean[rows], estimate.std[rows] = part.mean, part.std  # (b, p, c)
        return estimate


def inputs_of(parameters: Array, space: ParameterSpace) -> Tensor:
    """Return what the networks see of points in their own units: [-1, 1], shape (n, width)."""
    return torch.from_numpy(2 * space.encode(parameters) - 1)


def with_level(inputs: Tensor, below: NDArray[np.int64], levels: int) -> Tensor:
    """Append the level of each point: 1 is the finest, -1 the cheapest; no column for one level.

    Args:
        inputs: shape (n, width).
        below: how many levels below the finest each point was asked at, shape (n,).
        levels: how many there are.
    """
    if levels == 1:
        return inputs
    column = 1 - 2 * torch.from_numpy(below)[:, None] / (levels - 1)
    return torch.cat([inputs, column], 1)


def _estimate(centre: Tensor, changes: Tensor) -> Estimate:
    """Summarise members' departures from the pool's mean, shape (e, ...) to (...)."""
    mean = centre + changes.mean(0)
    return Estimate(mean.numpy(), _variance(changes).sqrt().numpy())


def _variance(members: Tensor) -> Tensor:
    """Return the sample variance over members, shape (e, ...) to (...); zero for one member."""
    return (members - members.mean(0)).square().sum(0) / max(len(members) - 1, 1)
