"""A user's own acquisition, by import path."""

import inspect
from collections.abc import Mapping
from functools import partial

from pools.errors import UsageError
from strategies.acquisition import Acquisition
from strategies.import_path import import_named

SIGNATURE = "(candidates, labelled, learner, k, rng) -> Selection"
_POSITIONAL = 5


def imported(path: str, arguments: Mapping[str, object]) -> Acquisition:
    """Import an acquisition, and bind its arguments.

    Args:
        path: `package.module:name`, or `package.module.name`.
        arguments: keyword arguments of it beside the five of every acquisition.

    Raises:
        UsageError: it cannot be imported, called, or called with these arguments.
    """
    function = _found(path)
    _check_signature(function, path, arguments)
    return partial(function, **arguments)


def _found(path: str) -> Acquisition:
    function = import_named(path, "the acquisition")
    if not callable(function):
        raise UsageError(
            f"the acquisition {path!r} is a {type(function).__name__}, which cannot be called; "
            f"name a function {SIGNATURE}"
        )
    found: Acquisition = function
    return found


def _check_signature(function: Acquisition, path: str, arguments: Mapping[str, object]) -> None:
    signature = inspect.signature(function)
    try:
        signature.bind(*range(_POSITIONAL), **arguments)
    except TypeError as error:
        given = "".join(f", {name}=..." for name in arguments)
        raise UsageError(
            f"the acquisition {path!r} takes {signature}, but it is called with (candidates, "
            f"labelled, learner, k, rng{given}): {error}; its signature must be {SIGNATURE}, with "
            "what `arguments` gives as further keywords. A class with `sample` is named by "
            "`kind: strategy`"
        ) from None
