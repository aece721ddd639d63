"""What an expression may compute with, for single numbers and for columns of them."""

import ast
import math
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import reduce
from types import MappingProxyType
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Value = TypeVar("Value", float, Array)


@dataclass(frozen=True, slots=True)
class Arithmetic(Generic[Value]):
    """How the operators and functions of an expression are computed.

    Attributes:
        constant: makes a value of a number.
        binary: by operator, such as `+`.
        unary: by sign.
        functions: by name.
    """

    constant: Callable[[Any], Value]
    binary: Mapping[type[ast.operator], Callable[[Value, Value], Value]]
    unary: Mapping[type[ast.unaryop], Callable[[Value], Value]]
    functions: Mapping[str, Callable[..., Any]]


def step(x: float) -> float:
    """Return 1 from 0 on and 0 below: how an expression says `if`."""
    return float(x >= 0)


def _steps(x: Array) -> Array:
    return np.where(x >= 0, 1.0, 0.0)


def _logs(x: Array, base: Array | None = None) -> Array:
    return np.log(x) if base is None else np.log(x) / np.log(base)


def _of_one(function: Callable[..., Any]) -> Callable[[Array], Array]:
    """Take one argument and no more: a second one of numpy's functions is where to write."""
    return lambda x: np.asarray(function(x), np.float64)


def _of_two(function: Callable[..., Any]) -> Callable[[Array, Array], Array]:
    return lambda x, y: np.asarray(function(x, y), np.float64)


def _of_several(function: Callable[..., Any]) -> Callable[..., Array]:
    """Take at least two arguments, as Python's `min` and `max` do of numbers."""
    return lambda x, y, *more: np.asarray(reduce(function, [x, y, *more]), np.float64)


FUNCTIONS: Mapping[str, Callable[..., float]] = MappingProxyType(
    {
        **{f.__name__: f for f in (math.sin, math.cos, math.tan, math.asin, math.acos, math.atan)},
        **{f.__name__: f for f in (math.atan2, math.sqrt, math.exp, math.log, math.log10)},
        **{f.__name__: f for f in (math.floor, math.ceil, math.radians, math.degrees)},
        **{f.__name__: f for f in (abs, min, max, step)},
    }
)
CONSTANTS: Mapping[str, float] = MappingProxyType({"pi": math.pi})

_COLUMN_FUNCTIONS: Mapping[str, Callable[..., Array]] = MappingProxyType(
    {
        **{name: _of_one(getattr(np, name)) for name in ("sin", "cos", "tan", "sqrt", "exp")},
        **{name: _of_one(getattr(np, name)) for name in ("log10", "floor", "ceil", "radians")},
        "asin": _of_one(np.arcsin),
        "acos": _of_one(np.arccos),
        "atan": _of_one(np.arctan),
        "atan2": _of_two(np.arctan2),
        "log": _logs,
        "degrees": _of_one(np.degrees),
        "abs": _of_one(np.abs),
        "min": _of_several(np.minimum),
        "max": _of_several(np.maximum),
        "step": _steps,
    }
)

NUMBERS: Arithmetic[float] = Arithmetic(
    constant=float,
    binary=MappingProxyType(
        {
            ast.Add: operator.add,
            ast.Sub: operator.sub,
            ast.Mult: operator.mul,
            ast.Div: operator.truediv,
            ast.Pow: math.pow,
        }
    ),
    unary=MappingProxyType({ast.UAdd: operator.pos, ast.USub: operator.neg}),
    functions=FUNCTIONS,
)
"""Single numbers: what has no value is an error."""

COLUMNS: Arithmetic[Array] = Arithmetic(
    constant=lambda value: np.asarray(value, np.float64),
    binary=MappingProxyType(
        {
            ast.Add: np.add,
            ast.Sub: np.subtract,
            ast.Mult: np.multiply,
            ast.Div: np.divide,
            ast.Pow: np.power,
        }
    ),
    unary=MappingProxyType({ast.UAdd: np.positive, ast.USub: np.negative}),
    functions=_COLUMN_FUNCTIONS,
)
"""Columns of numbers: what has no value is NaN or infinite."""
