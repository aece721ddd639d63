"""Arithmetic of named numbers, as a campaign file writes it; nothing else can be said in it.

An expression is parsed to Python's syntax tree and walked; what is not in the tables of
`pools.arithmetic` is refused, so neither a campaign file nor a parameter can run code. The same
walk gives one number of numbers, or a column of columns.
"""

import ast
import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from pools.arithmetic import COLUMNS, CONSTANTS, FUNCTIONS, NUMBERS, Arithmetic, Value
from pools.errors import UsageError

Array = NDArray[np.float64]

_LONGEST = 2000
_ALLOWED = "numbers, names, + - * / ** ( ) and " + ", ".join([*FUNCTIONS, *CONSTANTS])


def names_in(text: str) -> frozenset[str]:
    """Return the names that an expression needs.

    Raises:
        UsageError: it is not arithmetic.
    """
    nodes = list(ast.walk(_parse(text)))
    called = {id(node.func) for node in nodes if isinstance(node, ast.Call)}
    return frozenset(
        node.id
        for node in nodes
        if isinstance(node, ast.Name) and id(node) not in called and node.id not in CONSTANTS
    )


def evaluate(text: str, values: Mapping[str, float]) -> float:
    """Return the value of an expression, always a finite number.

    Args:
        text: such as `1/reynolds` or `0.5*max(a, b)`.
        values: the numbers that names stand for.

    Raises:
        UsageError: it is not arithmetic, names something unknown, or has no finite value.
    """
    try:
        value = _value(_parse(text), values, text, NUMBERS)
    except (ArithmeticError, ValueError, TypeError) as error:
        raise UsageError(
            f"the expression {text!r} has no value: {error}; {_where(text, values)}"
        ) from error
    if not math.isfinite(value):
        raise UsageError(f"the expression {text!r} is {value}; {_where(text, values)}")
    return value


def evaluate_rows(text: str, columns: Mapping[str, Array]) -> Array:
    """Return the values of an expression at `n` points, shape (n,); not finite where it has none.

    Args:
        text: such as `0.5 * camber`.
        columns: the numbers that names stand for, each of shape (n,).

    Raises:
        UsageError: it is not arithmetic, names something unknown, or gives a function too many or
            too few numbers.
    """
    try:
        with np.errstate(all="ignore"):
            return _value(_parse(text), columns, text, COLUMNS)
    except (ValueError, TypeError) as error:
        raise UsageError(f"the expression {text!r} has no value: {error}") from error


def check(text: str) -> str:
    """Return the expression as it is.

    Raises:
        UsageError: it is not arithmetic.
    """
    names_in(text)
    return text


def read(text: str) -> ast.expr:
    """Return the syntax tree of a text, whatever it holds.

    Raises:
        UsageError: it is too long, or no expression of Python's.
    """
    if len(text) > _LONGEST:
        raise UsageError(f"an expression has {len(text)} characters, allowed are {_LONGEST}")
    try:
        return ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise UsageError(
            f"the expression {text!r} cannot be read: {error}; write arithmetic such as "
            f"1/reynolds, with {_ALLOWED}"
        ) from error


def _parse(text: str) -> ast.expr:
    tree = read(text)
    for node in ast.walk(tree):
        if not _is_allowed(node):
            raise UsageError(
                f"the expression {text!r} holds {_said(node)}; allowed are {_ALLOWED}"
            )
    return tree


def _is_allowed(node: ast.AST) -> bool:
    match node:
        case ast.Constant(value=value):
            return isinstance(value, int | float) and not isinstance(value, bool)
        case ast.BinOp(op=operation):
            return type(operation) in NUMBERS.binary
        case ast.UnaryOp(op=operation):
            return type(operation) in NUMBERS.unary
        case ast.Call(func=ast.Name(id=name), keywords=keywords):
            return name in FUNCTIONS and not keywords
        case _:
            return isinstance(node, ast.Name | ast.Load | ast.operator | ast.unaryop)


def _said(node: ast.AST) -> str:
    return repr(ast.unparse(node)) if isinstance(node, ast.expr) else type(node).__name__


def _value(node: ast.expr, values: Mapping[str, Value], text: str, by: Arithmetic[Value]) -> Value:
    match node:
        case ast.Constant(value=int() | float() as number):
            return by.constant(number)
        case ast.Name(id=name):
            return _named(name, values, text, by)
        case ast.BinOp(left=left, op=operation, right=right):
            apply = by.binary[type(operation)]
            return apply(_value(left, values, text, by), _value(right, values, text, by))
        case ast.UnaryOp(op=sign, operand=operand):
            return by.unary[type(sign)](_value(operand, values, text, by))
        case ast.Call(func=ast.Name(id=name), args=arguments):
            found = (_value(each, values, text, by) for each in arguments)
            return by.constant(by.functions[name](*found))
        case _:
            raise TypeError(f"{ast.unparse(node)} is no arithmetic")


def _named(name: str, values: Mapping[str, Value], text: str, by: Arithmetic[Value]) -> Value:
    if name in CONSTANTS:
        return by.constant(CONSTANTS[name])
    if name not in values:
        raise UsageError(
            f"the expression {text!r} needs {name}, which is not known there; known are "
            f"{', '.join(sorted(values)) or 'no names'}"
        )
    return by.constant(values[name])


def _where(text: str, values: Mapping[str, float]) -> str:
    used = {name: values[name] for name in sorted(names_in(text)) if name in values}
    at = ", ".join(f"{name} = {value:g}" for name, value in used.items()) or "no names"
    return f"it was asked at {at}; narrow the parameters' bounds or mend the expression"
