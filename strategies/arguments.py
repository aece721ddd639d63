"""What an object was made with, as JSON, so that a checkpoint can make it again.

Making it again imports nothing and calls nothing but a class that the program has imported itself
and that has the members that are asked for: a checkpoint's file cannot name code to run.
"""

import inspect
import json
import sys
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

from pools.errors import UsageError

ARGUMENTS = "_args"


def captured(kind: type, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Return class and arguments of a call of `kind`, in the documented form of `_args`."""
    signature = inspect.signature(kind.__init__)  # type: ignore[misc]  # a class is asked
    bound = signature.bind_partial(None, *args, **kwargs)
    bound.apply_defaults()
    own, *names = bound.arguments
    del own
    given: dict[str, Any] = {}
    for name in names:
        match signature.parameters[name].kind:
            case inspect.Parameter.VAR_KEYWORD:
                given.update(bound.arguments[name])
            case inspect.Parameter.VAR_POSITIONAL:
                pass  # a call by name cannot give them
            case _:
                given[name] = bound.arguments[name]
    return {"__name__": kind.__qualname__, "__module__": kind.__module__, "__args__": given}


def arguments_of(thing: object) -> dict[str, Any]:
    """Return class and arguments of an object; taken from its attributes where it has no `_args`.

    An argument that is kept under its own name, as `self.max_samples = max_samples`, is found.
    """
    if isinstance(known := getattr(thing, ARGUMENTS, None), Mapping):
        return dict(known)
    kind = type(thing)
    parameters = list(inspect.signature(kind.__init__).parameters.values())[1:]
    named = {inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY}
    given = {
        p.name: getattr(thing, p.name)
        for p in parameters
        if p.kind in named and hasattr(thing, p.name)
    }
    return {"__name__": kind.__qualname__, "__module__": kind.__module__, "__args__": given}


def to_json(arguments: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return them as JSON; None where an argument has no JSON, so that it must be given again."""
    try:
        text = json.dumps(arguments, default=_plain, allow_nan=False)
    except (TypeError, ValueError):
        return None
    content: dict[str, Any] = json.loads(text)
    return content


def class_named(name: str, module: str, members: Collection[str]) -> type | None:
    """Return a class that this program has imported and that has these members; None otherwise."""
    found: Any = sys.modules.get(module)
    for part in name.split("."):
        found = getattr(found, part, None)
    return found if isinstance(found, type) and all(hasattr(found, m) for m in members) else None


def made_again(arguments: Mapping[str, Any], members: Collection[str], what: str) -> Any:  # noqa: ANN401
    """Make an object again from `to_json`.

    Args:
        arguments: its class and arguments.
        members: what the class must have.
        what: how the caller can give the object instead, for the error.

    Raises:
        UsageError: the class is not imported, or does not take the arguments.
    """
    name, module = arguments["__name__"], arguments["__module__"]
    kind = class_named(name, module, members)
    if kind is None:
        raise UsageError(
            f"the checkpoint was made with {module}.{name}, which this program has not imported "
            f"(a checkpoint never imports code by itself); import it, or give {what}"
        )
    make: Callable[..., Any] = kind
    try:
        return make(**arguments["__args__"])
    except TypeError as error:
        raise UsageError(
            f"{module}.{name} cannot be made again with {arguments['__args__']}: {error}; "
            f"give {what}"
        ) from error


def _plain(value: object) -> object:
    """Return JSON for what is common among arguments and plain in itself."""
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, set | frozenset):
        return sorted(value)
    if type(value).__module__ == "torch" and type(value).__name__ in {"dtype", "device"}:
        return str(value)
    raise TypeError(f"{value!r} has no JSON")
