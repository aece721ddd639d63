"""The parameter space of a campaign, and the space-filling draws from it.

[Sobol1967] I. M. Sobol', On the distribution of points in a cube, 1967.
[Owen1998] A. B. Owen, Scrambling Sobol' and Niederreiter-Xing points, J. Complexity 14, 1998.
[McKay1979] M. D. McKay et al., A comparison of three methods, Technometrics 21(2), 1979.
"""

import math
import re
from collections.abc import Iterator
from typing import Annotated, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, RootModel, model_validator
from scipy.stats import qmc

Array = NDArray[np.float64]


def _check_name(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z_]\w*", name):
        raise ValueError(
            f"got the parameter name {name!r}; use letters, digits and underscores, no digit first"
        )
    return name


Name = Annotated[str, AfterValidator(_check_name)]


class Parameter(BaseModel):
    """One design parameter: its bounds, scale and unit."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    low: Annotated[float, Field(allow_inf_nan=False)]
    """Lower bound, in the parameter's unit."""
    high: Annotated[float, Field(allow_inf_nan=False)]
    """Upper bound, in the parameter's unit; above `low`."""
    scale: Literal["linear", "log"] = "linear"
    """Whether samples are spread evenly over the value or over its logarithm."""
    unit: str = "1"
    """Unit, for reports and axes; `1` means dimensionless."""

    @model_validator(mode="after")
    def _check_bounds(self) -> Self:
        if not self.low < self.high:
            raise ValueError(
                f"low is {self.low:g} and high is {self.high:g}; low must be below high: swap them"
            )
        if self.scale == "log" and self.low <= 0:
            raise ValueError(
                f"scale is log and low is {self.low:g}; a logarithm needs low > 0: "
                "raise low or use scale: linear"
            )
        return self


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

    def normalise(self, values: Array) -> Array:
        """Map values in their own units, shape (n, d), to the unit cube, respecting log scales."""
        low, high, log = self._bounds()
        spread = np.where(log, np.log(np.where(log, values, 1.0)), values)  # (n, d)
        return (spread - low) / (high - low)

    def denormalise(self, cube: Array) -> Array:
        """Map points of the unit cube, shape (n, d), to values in the parameters' own units."""
        low, high, log = self._bounds()
        spread = low + cube * (high - low)  # (n, d)
        return np.where(log, np.exp(np.where(log, spread, 0.0)), spread)

    def sobol(self, n: int, seed: int, *, skip: int = 0) -> Array:
        """Draw `n` points of a scrambled Sobol' sequence [Sobol1967, Owen1998], shape (n, d).

        Args:
            n: how many points.
            seed: seed of the scrambling; the same seed continues the same sequence.
            skip: how many points of the sequence were used before.
        """
        needed = 1 << math.ceil(math.log2(max(skip + n, 1)))  # balanced only at powers of two
        cube = qmc.Sobol(self.d, scramble=True, rng=seed).random(needed)
        return self.denormalise(cube[skip : skip + n])

    def sobol_blocks(self, seed: int, size: int) -> Iterator[Array]:
        """Draw the points of `sobol` in blocks, each of shape (size, d), without an end.

        Args:
            seed: seed of the scrambling.
            size: points of a block, a power of two.
        """
        sequence = qmc.Sobol(self.d, scramble=True, rng=seed)
        while True:
            yield self.denormalise(sequence.random(size))

    def latin_hypercube(self, n: int, seed: int) -> Array:
        """Draw `n` points of a Latin hypercube design [McKay1979], shape (n, d)."""
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
        for name, bounds in self.root.items():
            if not bounds.low <= parameters[name] <= bounds.high:
                unit = "" if bounds.unit == "1" else f" {bounds.unit}"
                raise ValueError(
                    f"{name} is {parameters[name]:g}, outside {bounds.low:g} to {bounds.high:g}"
                    f"{unit}; the surrogate was not trained there"
                )
        return np.array([parameters[name] for name in self.root])

    def _bounds(self) -> tuple[Array, Array, NDArray[np.bool_]]:
        log = np.array([p.scale == "log" for p in self.root.values()])
        low = np.array([_on_scale(p.low, p.scale) for p in self.root.values()])
        high = np.array([_on_scale(p.high, p.scale) for p in self.root.values()])
        return low, high, log


def _on_scale(value: float, scale: Literal["linear", "log"]) -> float:
    return math.log(value) if scale == "log" else value
