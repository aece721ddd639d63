"""What may be written in a declaration: names, words, numbers, expressions, paths of the case."""

import re
from typing import Annotated

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    StringConstraints,
)

from pools import expression
from pools.errors import UsageError
from solvers.openfoam import vector

_WORD = re.compile(r"[A-Za-z_][\w.:+-]*(\([\w.,:+-]*\))?")


def _as_word(word: str) -> str:
    if not _WORD.fullmatch(word):
        raise ValueError(
            f"got the word {word!r}; only a plain word may reach a dictionary: letters, digits "
            "and _ . : + - ( ), beginning with a letter"
        )
    return word


def _as_expression(text: object) -> str:
    if isinstance(text, bool) or not isinstance(text, str | int | float):
        raise ValueError(f"got {text!r}; give a number or an expression such as 1/reynolds")  # noqa: TRY004 - pydantic's way
    try:
        return expression.check(str(text))
    except UsageError as error:
        raise ValueError(str(error)) from error


def _as_entry(value: object) -> str:
    """Take a number, an expression or a word; what is none is refused in one message."""
    text = str(value)
    if isinstance(value, str) and _WORD.fullmatch(text):
        return text
    try:
        return _as_expression(value)
    except ValueError as error:
        raise ValueError(vector.refusal(text) or f"{error}; or give a plain word") from error


def _as_leaf(value: object) -> object:
    """Read a number that YAML takes for text, such as 1e-5."""
    if not isinstance(value, str):
        return value
    try:
        return float(value)
    except ValueError:
        return value


def _as_relative(path: str) -> str:
    parts = path.split("/")
    if path.startswith("/") or ".." in parts or not all(parts):
        raise ValueError(
            f"got the path {path!r}; give one inside the case, such as system/fvSchemes"
        )
    return path


Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_]\w*$")]
Word = Annotated[str, AfterValidator(_as_word)]
Expression = Annotated[str, BeforeValidator(_as_expression)]
EntryValue = Annotated[str, BeforeValidator(_as_entry)]
CasePath = Annotated[str, AfterValidator(_as_relative)]
Real = Annotated[StrictFloat, Field(allow_inf_nan=False)]
Code = Annotated[float, Field(allow_inf_nan=False)]  # a key, which a file may hold as text
Leaf = Annotated[StrictBool | StrictInt | Real | Word, BeforeValidator(_as_leaf)]
Numerics = dict[Name, Leaf | dict[Name, Leaf]]
