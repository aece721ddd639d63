"""Arithmetic of named numbers, as a campaign file writes it; nothing else can be said in it.

An expression is parsed to Python's syntax tree and walked; what is not in the tables below is
refused, so neither a campaign file nor a parameter can run code.
"""

import ast
import math
import operator
from collections.abc import Callable, Mapping
from types import MappingProxyType

from pools.errors import UsageError

_BINARY: Mapping[type[ast.operator], Callable[[float, float], float]] = MappingProxyType(
    {
        ast.Add: operator.add,
        ast.Sub: operator.sub,
        ast.Mult: operator.mul,
        ast.Div: operator.truediv,
        ast.Pow: math.pow,
    }
)
_UNARY: Mapping[type[ast.unaryop], Callable[[float], float]] = MappingProxyType(
    {ast.UAdd: operator.pos, ast.USub: operator.neg}
)


def step(x: float) -> float:
    """Return 1 from 0 on and 0 below: how an expression says `if`."""
    return float(x >= 0)


FUNCTIONS: Mapping[str, Callable[..., float]] = MappingProxyType(
    {
        **{f.__name__: f for f in (math.sin, math.cos, math.tan, math.asin, math.acos, math.atan)},
        **{f.__name__: f for f in (math.atan2, math.sqrt, math.exp, math.log, math.log10)},
        **{f.__name__: f for f in (math.floor, math.ceil, math.radians, math.degrees)},
        **{f.__name__: f for f in (abs, min, max, step)},
    }
)
CONSTANTS: Mapping[str, float] = MappingProxyType({"pi": math.pi})

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
        value = _value(_parse(text).body, values, text)
    except (ArithmeticError, ValueError, TypeError) as error:
        raise UsageError(
            f"the expression {text!r} has no value: {error}; {_where(text, values)}"
        ) from error
    if not math.isfinite(value):
        raise UsageError(f"the expression {text!r} is {value}; {_where(text, values)}")
    return value


def check(text: str) -> str:
    """Return the expression as it is.

    Raises:
        UsageError: it is not arithmetic.
    """
    names_in(text)
    return text


def _parse(text: str) -> ast.Expression:
    if len(text) > _LONGEST:
        raise UsageError(f"an expression has {len(text)} characters, allowed are {_LONGEST}")
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise UsageError(
            f"the expression {text!r} cannot be read: {error}; write arithmetic such as "
            f"1/reynolds, with {_ALLOWED}"
        ) from error
    for node in ast.walk(tree.body):
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
            return type(operation) in _BINARY
        case ast.UnaryOp(op=operation):
            return type(operation) in _UNARY
        case ast.Call(func=ast.Name(id=name), keywords=keywords):
            return name in FUNCTIONS and not keywords
        case _:
            return isinstance(node, ast.Name | ast.Load | ast.operator | ast.unaryop)


def _said(node: ast.AST) -> str:
    return repr(ast.unparse(node)) if isinstance(node, ast.expr) else type(node).__name__


def _value(node: ast.expr, values: Mapping[str, float], text: str) -> float:
    match node:
        case ast.Constant(value=int() | float() as number):
            return float(number)
        case ast.Name(id=name):
            return _named(name, values, text)
        case ast.BinOp(left=left, op=operation, right=right):
            apply = _BINARY[type(operation)]
            return apply(_value(left, values, text), _value(right, values, text))
        case ast.UnaryOp(op=sign, operand=operand):
            return _UNARY[type(sign)](_value(operand, values, text))
        case ast.Call(func=ast.Name(id=name), args=arguments):
            return float(FUNCTIONS[name](*(_value(each, values, text) for each in arguments)))
        case _:
            raise TypeError(f"{ast.unparse(node)} is no arithmetic")


def _named(name: str, values: Mapping[str, float], text: str) -> float:
    if name in CONSTANTS:
        return CONSTANTS[name]
    if name not in values:
        raise UsageError(
            f"the expression {text!r} needs {name}, which is not known there; known are "
            f"{', '.join(sorted(values)) or 'no names'}"
        )
    return float(values[name])


def _where(text: str, values: Mapping[str, float]) -> str:
    used = {name: values[name] for name in sorted(names_in(text)) if name in values}
    at = ", ".join(f"{name} = {value:g}" for name, value in used.items()) or "no names"
    return f"it was asked at {at}; narrow the parameters' bounds or mend the expression"
