"""Calls that pass what the called one accepts: a strategy may take fewer arguments."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

_BY_PLACE = {inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD}


def call_accepting(
    function: Callable[..., Any],
    needed: Sequence[Any],
    others: Sequence[Any] = (),
    named: Mapping[str, Any] | None = None,
) -> Any:  # noqa: ANN401 - whatever the function returns
    """Call a function with the arguments that it needs, and of the others those that it takes.

    Args:
        function: what is called.
        needed: its first arguments by position, always passed.
        others: further arguments by position, as many as it takes.
        named: arguments by name, those that it takes.
    """
    named = named or {}
    try:
        parameters = inspect.signature(function).parameters
    except (TypeError, ValueError):  # written in C: it says nothing of itself
        return function(*needed, *others, **named)
    kinds = [p.kind for p in parameters.values()]
    places = [name for name, p in parameters.items() if p.kind in _BY_PLACE]
    room = len(places) - len(needed)
    passed = others if inspect.Parameter.VAR_POSITIONAL in kinds else others[: max(room, 0)]
    filled = set(places[: len(needed) + len(passed)])
    free = set(parameters) - filled
    if inspect.Parameter.VAR_KEYWORD in kinds:
        free |= set(named) - filled
    return function(*needed, *passed, **{k: v for k, v in named.items() if k in free})


def accepts(function: Callable[..., Any], name: str) -> bool:
    """Say whether a function takes an argument of this name."""
    parameters = inspect.signature(function).parameters
    kinds = [p.kind for p in parameters.values()]
    return name in parameters or inspect.Parameter.VAR_KEYWORD in kinds
