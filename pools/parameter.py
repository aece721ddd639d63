"""One design parameter: which values it takes, and how they lie between 0 and 1."""

import math
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

Array = NDArray[np.float64]
Finite = Annotated[float, Field(allow_inf_nan=False)]

_OF_VALUES = ("discrete", "categorical")


class Parameter(BaseModel):
    """One design parameter: its kind, bounds, scale and unit."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    type: Literal["real", "integer", "discrete", "categorical"] = "real"
    """Which values it takes: any between the bounds, whole ones, or only those in `values`;
    `categorical` where these are codes whose order means nothing."""
    low: Finite
    """Lower bound, in the parameter's unit; it may be taken."""
    high: Finite
    """Upper bound, in the parameter's unit; above `low`; it may be taken."""
    values: tuple[Finite, ...] = ()
    """Of `discrete` and `categorical`: all values, increasing; instead of `low` and `high`."""
    scale: Literal["linear", "log"] = "linear"
    """Whether samples are spread evenly over the value or over its logarithm."""
    unit: str = "1"
    """Unit, for reports and axes; `1` means dimensionless."""

    @model_validator(mode="before")
    @classmethod
    def _fill_bounds(cls, content: Any) -> Any:  # noqa: ANN401 - whatever is given
        """Take the bounds from the values, where these say what is allowed."""
        if not isinstance(content, Mapping) or content.get("type") not in _OF_VALUES:
            return content
        values = content.get("values")
        if not isinstance(values, list | tuple) or len(values) < 2:
            raise ValueError(
                f"type is {content['type']}, which needs at least two values; "
                "give them as values: [0.1, 0.2, 0.4]"
            )
        if words := [value for value in values if not _is_number(value)]:
            raise ValueError(
                f"values holds {words[0]!r}, which is no finite number; number the choices, such "
                "as values: [1, 2], and let the solver's side say what they stand for (OpenFOAM's "
                "by solver.choices)"
            )
        return {"low": values[0], "high": values[-1], **content}

    @model_validator(mode="after")
    def _check_values(self) -> Self:
        if self.type not in _OF_VALUES:
            if self.values:
                raise ValueError(
                    f"type is {self.type}, which takes no values; use type: discrete, or "
                    "type: categorical where their order means nothing"
                )
            return self
        if not all(a < b for a, b in zip(self.values, self.values[1:], strict=False)):
            raise ValueError(f"values are {list(self.values)}; give each once, increasing")
        if (self.low, self.high) != (self.values[0], self.values[-1]):
            raise ValueError(
                f"low is {self.low:g} and high is {self.high:g}, but values go from "
                f"{self.values[0]:g} to {self.values[-1]:g}; leave low and high out"
            )
        if self.scale == "log":
            raise ValueError(
                "scale is log, but values are asked for equally often, however far apart; "
                "leave scale out"
            )
        return self

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
        if self.type == "integer" and not (self.low.is_integer() and self.high.is_integer()):
            raise ValueError(
                f"type is integer, and low is {self.low:g} and high is {self.high:g}; both must "
                "be whole numbers"
            )
        return self

    @property
    def count(self) -> int | None:
        """How many values it takes; None for a real one."""
        if self.type == "real":
            return None
        return len(self.values) or int(self.high - self.low) + 1

    @property
    def all_values(self) -> Array:
        """What it takes if it is not real, increasing, shape (count,)."""
        return np.array(self.values) if self.values else np.arange(self.low, self.high + 1)

    @property
    def ends(self) -> tuple[float, float]:
        """Where the unit interval begins and ends, on the parameter's scale.

        Each value of one that is not real has a cell, all of a linear scale of one width.
        """
        if self.values:
            return -0.5, len(self.values) - 0.5
        half = 0.5 if self.type == "integer" else 0.0
        low, high = self.low - half, self.high + half
        return (math.log(low), math.log(high)) if self.scale == "log" else (low, high)

    def placed(self, values: Array) -> Array:
        """Return where values lie before any logarithm: of `values` their number, shape (n,)."""
        if not self.values:
            return values
        known = np.array(self.values)
        return np.searchsorted((known[1:] + known[:-1]) / 2, values).astype(np.float64)

    def settled(self, places: Array) -> Array:
        """Return the values nearest to places, the inverse of `placed`, shape (n,)."""
        if self.type == "real":
            return places
        if not self.values:
            return np.clip(np.rint(places), self.low, self.high) + 0.0  # minus zero is zero
        index = np.clip(np.rint(places), 0, len(self.values) - 1).astype(np.intp)
        return np.array(self.values)[index] + 0.0

    def check(self, value: float, name: str) -> None:
        """Look whether it takes a value; `name` is what it is called.

        Raises:
            ValueError: it does not.
        """
        if not self.low <= value <= self.high:
            unit = "" if self.unit == "1" else f" {self.unit}"
            raise ValueError(
                f"{name} is {value:g}, outside {self.low:g} to {self.high:g}{unit}; the "
                "surrogate was not trained there"
            )
        if self.type == "integer" and not float(value).is_integer():
            raise ValueError(f"{name} is {value:g}, but it takes whole numbers only")
        if self.values and value not in self.values:
            allowed = ", ".join(f"{each:g}" for each in self.values)
            raise ValueError(f"{name} is {value:g}, but it takes {allowed} only")


def _is_number(value: Any) -> bool:  # noqa: ANN401 - whatever is given
    """Whether it is a finite number, or text that YAML did not take for one, such as 1e-3."""
    try:
        return not isinstance(value, bool) and math.isfinite(float(value))
    except (TypeError, ValueError):
        return False
