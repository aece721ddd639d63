"""The numbers and words of a sample, and the one dictionary through which they reach a case."""

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from pools import expression
from pools.errors import UsageError
from solvers.openfoam.settings import OpenFOAMSettings

Value = bool | int | float | str

_LARGEST_LABEL = 2**31


def values_of(settings: OpenFOAMSettings, parameters: Mapping[str, float]) -> dict[str, Value]:
    """Return all names that a template may use: parameters, numerics, derived values.

    A parameter with `choices` is a number in the derived ones, and a word after them.

    Raises:
        UsageError: a parameter is not finite or stands for no word, or an expression has no value.
    """
    for name, number in parameters.items():
        if not math.isfinite(number):
            raise UsageError(f"the parameter {name} is {number}; only finite numbers are solved")
    values: dict[str, Value] = {n: float(v) for n, v in parameters.items()}
    values |= settings.flat_numerics
    for name, text in settings.derived.items():
        with named(f"derived.{name}"):
            values[name] = expression.evaluate(text, numbers_in(values))
    return values | {name: _word(settings, name, parameters[name]) for name in settings.choices}


def _word(settings: OpenFOAMSettings, name: str, code: float) -> str:
    words = settings.choices[name]
    if code not in words:
        raise UsageError(
            f"the parameter {name} is {code:g}, for which solver.choices.{name} has no word; it "
            f"has words for {', '.join(f'{each:g}' for each in words)}"
        )
    return words[code]


@contextmanager
def named(key: str) -> Iterator[None]:
    """Say below which key of `solver` an expression stands that has no value."""
    try:
        yield
    except UsageError as error:
        raise UsageError(f"solver.{key}: {error}") from error


def entry_value(wanted: str, values: Mapping[str, Value]) -> Value:
    """Return what an entry is set to: a word as it is, and an expression's value.

    Raises:
        UsageError: the expression has no value.
    """
    if wanted in values:
        return values[wanted]
    numbers = numbers_in(values)
    try:
        names = expression.names_in(wanted)
    except UsageError:  # it is a word, such as Gauss(x)
        return wanted
    return expression.evaluate(wanted, numbers) if names <= set(numbers) else wanted


def numbers_in(values: Mapping[str, Value]) -> dict[str, float]:
    """Return those that are numbers: what an expression can use."""
    return {n: float(v) for n, v in values.items() if not isinstance(v, str | bool)}


def generated_dictionary(values: Mapping[str, Value]) -> str:
    """Return the text of the generated dictionary.

    It has no FoamFile header: one would take the place of the including file's.
    """
    lines = [f"{name} {foam_text(value)};" for name, value in values.items()]
    return "\n".join(["// Written by solverloop for this attempt; changes are lost.", *lines, ""])


def foam_text(value: Value) -> str:
    """Return a value as OpenFOAM reads it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and value.is_integer() and abs(value) < _LARGEST_LABEL:
        return str(int(value))  # a derived number of cells: a label is read of no 98.0
    return repr(value) if isinstance(value, int | float) else value
