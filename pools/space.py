"""The parameter space of a campaign, and the space-filling draws from it.

[Sobol1967] I. M. Sobol', On the distribution of points in a cube, 1967.
[Owen1998] A. B. Owen, Scrambling Sobol' and Niederreiter-Xing points, J. Complexity 14, 1998.
[McKay1979] M. D. McKay et al., A comparison of three methods, Technometrics 21(2), 1979.
"""

import math
import re
from collections.abc import Callable, Iterator
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, ConfigDict, Field, RootModel

from pools.parameter import Parameter

Array = NDArray[np.float64]


def _check_name(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z_]\w*", name):
        raise ValueError(
            f"got the parameter name {name!r}; use letters, digits and underscores, no digit first"
        )
    return name


Name = Annotated[str, AfterValidator(_check_name)]


class ParameterSpace(RootModel[dict[str, Parameter]]):
    """The box of `d` named design parameters that a campaign explores."""

    model_config = ConfigDict(frozen=True)
    root: Annotated[dict[Name, Parameter], Field(min_length=1)]

    @property
    def names(self) -> tuple[str, ...]:
        """The parameters' names, in the order of every array's columns."""
        return tuple(self.root)

    @property
    def d(self) -> int:
        """The number of parameters."""
        return len(self.root)

    @property
    def count(self) -> int | None:
        """The number of points, constraints aside; None where a parameter is real."""
        counts = [parameter.count for parameter in self.root.values()]
        return None if None in counts else math.prod(count for count in counts if count)

    @property
    def width(self) -> int:
        """The number of columns of `encode`."""
        return sum(len(p.values) if p.type == "categorical" else 1 for p in self.root.values())

    def grid(self) -> Array:
        """Return all points of a space without real parameters, shape (count, d)."""
        axes = np.meshgrid(*(p.all_values for p in self.root.values()), indexing="ij")
        return np.stack([axis.ravel() for axis in axes], axis=-1)

    def normalise(self, values: Array) -> Array:
        """Map values in their own units, shape (n, d), to the unit cube, respecting log scales.

        A value of a parameter that is not real is mapped to the middle of its cell.
        """
        low, high, log = self._bounds()
        places = self._by_column(values, Parameter.placed)
        spread = np.where(log, np.log(np.where(log, places, 1.0)), places)  # (n, d)
        return (spread - low) / (high - low)

    def denormalise(self, cube: Array) -> Array:
        """Map points of the unit cube, shape (n, d), to values in the parameters' own units."""
        low, high, log = self._bounds()
        spread = low + cube * (high - low)  # (n, d)
        places = np.where(log, np.exp(np.where(log, spread, 0.0)), spread)
        return self._by_column(places, Parameter.settled)

    def encode(self, values: Array) -> Array:
        """Map values in their own units, shape (n, d), to what a surrogate sees of them.

        As `normalise`, but that a categorical parameter has a column for each of its values, 1
        where it has that value and 0 elsewhere.

        Returns:
            Shape (n, width), from 0 to 1.
        """
        cube = self.normalise(values)
        if self.width == self.d:
            return cube
        columns = zip(self.root.values(), cube.T, values.T, strict=True)
        return np.column_stack(
            [_one_hot(p, value) if p.type == "categorical" else x for p, x, value in columns]
        )

    def sobol(self, n: int, seed: int, *, skip: int = 0) -> Array:
        """Draw `n` points of a scrambled Sobol' sequence [Sobol1967, Owen1998], shape (n, d).

        Args:
            n: how many points.
            seed: seed of the scrambling; the same seed continues the same sequence.
            skip: how many points of the sequence were used before.
        """
        needed = 1 << math.ceil(math.log2(max(skip + n, 1)))  # balanced only at powers of two
        from scipy.stats import qmc  # a second to load, which not every process needs

        cube = qmc.Sobol(self.d, scramble=True, rng=seed).random(needed)
        return self.denormalise(cube[skip : skip + n])

    def sobol_blocks(self, seed: int, size: int) -> Iterator[Array]:
        """Draw the points of `sobol` in blocks, each of shape (size, d), without an end.

        Args:
            seed: seed of the scrambling.
            size: points of a block, a power of two.
        """
        from scipy.stats import qmc

        sequence = qmc.Sobol(self.d, scramble=True, rng=seed)
        while True:
            yield self.denormalise(sequence.random(size))

    def latin_hypercube(self, n: int, seed: int) -> Array:
        """Draw `n` points of a Latin hypercube design [McKay1979], shape (n, d)."""
        from scipy.stats import qmc

        return self.denormalise(qmc.LatinHypercube(self.d, rng=seed).random(n))

    def uniform(self, n: int, rng: np.random.Generator) -> Array:
        """Draw `n` independent points, uniform over each parameter's scale, shape (n, d)."""
        return self.denormalise(rng.random((n, self.d)))

    def as_row(self, parameters: dict[str, float]) -> Array:
        """Return named values as one row in column order, shape (d,).

        Raises:
            ValueError: a name is missing or unknown, or a value lies outside its bounds.
        """
        if missing := set(self.root) - set(parameters):
            raise ValueError(f"missing {sorted(missing)}; give all of {list(self.root)}")
        if unknown := set(parameters) - set(self.root):
            raise ValueError(f"unknown {sorted(unknown)}; allowed are {list(self.root)}")
        for name, parameter in self.root.items():
            parameter.check(parameters[name], name)
        return np.array([parameters[name] for name in self.root])

    def _by_column(self, rows: Array, change: Callable[[Parameter, Array], Array]) -> Array:
        """Change each parameter's column of rows, shape (n, d); real parameters change nothing."""
        if all(p.type == "real" for p in self.root.values()):
            return rows
        columns = zip(self.root.values(), rows.T, strict=True)
        return np.stack([change(parameter, column) for parameter, column in columns], axis=-1)

    def _bounds(self) -> tuple[Array, Array, NDArray[np.bool_]]:
        log = np.array([p.scale == "log" for p in self.root.values()])
        low, high = np.array([p.ends for p in self.root.values()]).T
        return low, high, log


def _one_hot(parameter: Parameter, values: Array) -> Array:
    return np.equal.outer(parameter.placed(values), np.arange(len(parameter.values))) * 1.0
