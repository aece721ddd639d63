"""A condition between parameters, as a campaign file declares it: `thickness < 0.5 * camber`."""

import ast
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator

from pools import expression
from pools.errors import UsageError

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

_COMPARED: Mapping[type[ast.cmpop], tuple[str, Callable[[Any, Any], Any]]] = MappingProxyType(
    {
        ast.Lt: ("<", operator.lt),
        ast.LtE: ("<=", operator.le),
        ast.Gt: (">", operator.gt),
        ast.GtE: (">=", operator.ge),
    }
)
_WAY_OUT = "write one comparison of arithmetic with <, <=, > or >=, such as a < 0.5 * b"


@dataclass(frozen=True, slots=True)
class Constraint:
    """A comparison that every sample meets; `0.1 < a*b <= 0.5` is both of its comparisons.

    A point at which a side has no finite value does not meet it.

    Attributes:
        text: as it was written.
        sides: the arithmetic between the comparisons.
        signs: the comparisons, one fewer than the sides.
    """

    text: str
    sides: tuple[str, ...]
    signs: tuple[type[ast.cmpop], ...]

    @classmethod
    def of(cls, text: str) -> "Constraint":
        """Read a constraint.

        Raises:
            UsageError: it is no comparison of arithmetic, or no parameter is in it.
        """
        match expression.read(text):
            case ast.Compare(left=left, ops=ops, comparators=others):
                sides = tuple(ast.unparse(side) for side in (left, *others))
            case ast.BoolOp() | ast.UnaryOp(op=ast.Not()):
                raise UsageError(
                    f"the constraint {text!r} combines conditions; all that are listed must hold: "
                    "give each an entry of its own"
                )
            case _:
                raise UsageError(f"the constraint {text!r} is no comparison; {_WAY_OUT}")
        if refused := [op for op in ops if type(op) not in _COMPARED]:
            raise UsageError(
                f"the constraint {text!r} compares with {type(refused[0]).__name__}; {_WAY_OUT}"
            )
        constraint = cls(text.strip(), sides, tuple(type(op) for op in ops))
        if not constraint.names:
            raise UsageError(
                f"the constraint {text!r} holds no parameter, so it is met everywhere or nowhere; "
                "leave it out, or name a parameter"
            )
        return constraint

    @property
    def names(self) -> frozenset[str]:
        """The parameters that it is about."""
        return frozenset[str]().union(*(expression.names_in(side) for side in self.sides))

    def met(self, columns: Mapping[str, Array]) -> Mask:
        """Say which of `n` points meet it.

        Args:
            columns: the parameters' values, each of shape (n,).

        Returns:
            Shape (n,), or a single one if there is nothing in it but single ones.

        Raises:
            UsageError: a function in it is given too many or too few numbers.
        """
        values = [expression.evaluate_rows(side, columns) for side in self.sides]
        met: Mask = np.all([np.isfinite(value) for value in np.broadcast_arrays(*values)], axis=0)
        for sign, left, right in zip(self.signs, values, values[1:], strict=False):
            met &= _COMPARED[sign][1](left, right)
        return met

    def at(self, point: Mapping[str, float]) -> str:
        """Say what its sides are at a point: `0.3 < 0.1`."""
        columns = {name: np.array([value], np.float64) for name, value in point.items()}
        values = [float(np.squeeze(expression.evaluate_rows(s, columns))) for s in self.sides]
        signs = [_COMPARED[sign][0] for sign in self.signs]
        return f"{values[0]:.6g}" + "".join(
            f" {sign} {value:.6g}" for sign, value in zip(signs, values[1:], strict=True)
        )


def _checked(text: str) -> str:
    try:
        return Constraint.of(text).text
    except UsageError as error:
        raise ValueError(str(error)) from error


ConstraintText = Annotated[str, AfterValidator(_checked)]
"""A constraint as a campaign file holds it."""
