"""A user's own acquisition, by import path."""

import importlib
import inspect
from collections.abc import Mapping
from functools import partial

from pools.errors import UsageError
from strategies.acquisition import Acquisition

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
    module_name, _, name = path.replace(":", ".").rpartition(".")
    try:
        module = importlib.import_module(module_name)
    except Exception as error:
        raise UsageError(
            f"the acquisition {path!r} cannot be imported: {type(error).__name__}: {error}; give "
            "the package.module:name of a function that is importable where the campaign runs, "
            "for example in the directory that PYTHONPATH names"
        ) from error
    if name not in vars(module):
        public = sorted(each for each in vars(module) if not each.startswith("_"))
        raise UsageError(
            f"the acquisition {path!r} cannot be imported: the module {module_name} has no "
            f"{name!r}; it has {', '.join(public) or 'nothing'}"
        )
    function = vars(module)[name]
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
            "what `arguments` gives as further keywords"
        ) from None
