"""A solver's settings with a few of them changed, as a rung or a person asks for one sample."""

import difflib
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from pools.errors import UsageError
from pools.record import Setting
from solvers.settings import SolverSettings

__all__ = ["Setting", "changed"]

_NUMERICS = "numerics"
_SOLVER = "solver"
_FEW = 8  # as many keys are all named where one is unknown; of more, only the nearest
_NEAREST = 5


def changed(settings: SolverSettings, changes: Mapping[str, Setting]) -> SolverSettings:
    """Return the settings with these changes, checked as a campaign file is.

    Args:
        settings: as declared.
        changes: values by `KEY.KEY` path below `solver`, which may begin with it. What is not a
            key of the settings is looked for below `numerics`, where they have that.

    Raises:
        UsageError: a key is not declared, or its value is not allowed; it says what is.
    """
    if not changes:
        return settings
    content = settings.model_dump(mode="json")
    for key, value in changes.items():
        section, name = _find(content, key)
        _check_kind(key, section[name], value)
        section[name] = value
    try:
        return type(settings).model_validate(content)
    except ValidationError as error:
        raise UsageError(_refusal(error, changes)) from None


def _find(content: dict[str, Any], key: str) -> tuple[dict[str, Any], str]:
    """Return the mapping that holds the key, and its name there."""
    *sections, name = _whole(key, content).split(".")
    place: Any = content
    for section in sections:
        place = place.get(section) if isinstance(place, dict) else None
    if not isinstance(place, dict) or name not in place:
        raise UsageError(_unknown(key, content))
    return place, name


def _whole(key: str, content: dict[str, Any]) -> str:
    """Return the whole path of a key that may be written more briefly, or with `solver`."""
    first, _, rest = key.partition(".")
    if first in content:
        return key
    if first == _SOLVER and rest and _SOLVER not in content.get(_NUMERICS, {}):
        return _whole(rest, content)
    return f"{_NUMERICS}.{key}"


def _unknown(key: str, content: dict[str, Any]) -> str:
    allowed = list(_keys(content))
    meant = _whole(key, content).removeprefix(f"{_NUMERICS}.")
    near = difflib.get_close_matches(meant, allowed, n=1)
    return (
        f"{key} is not a setting of this solver; "
        + (f"did you mean {near[0]}? " if near else "")
        + f"{_allowed(meant, allowed)}; declare it below `solver` in the campaign file"
    )


def _allowed(meant: str, allowed: list[str]) -> str:
    """Name all keys, or of many the nearest and where all are."""
    if len(allowed) <= _FEW:
        return f"Allowed are {', '.join(allowed)}"
    nearest = difflib.get_close_matches(meant, allowed, n=_NEAREST, cutoff=0.0)
    return (
        f"Of {len(allowed)} that are allowed the nearest are {', '.join(nearest)}; all are below "
        "`solver` in the campaign.yaml of the campaign's directory"
    )


def _keys(content: dict[str, Any], prefix: str = "") -> Iterator[str]:
    """Yield the paths of what may be changed, as briefly as they may be written."""
    for name, value in content.items():
        path = f"{prefix}{name}"
        if isinstance(value, dict):
            yield from _keys(value, "" if path == _NUMERICS else f"{path}.")
        elif path != "kind" and not isinstance(value, list):
            yield path


def _check_kind(key: str, old: object, new: Setting) -> None:
    """Refuse a word for a number and the like; sections that take any key would take it."""
    if old is not None and _kind(old) != _kind(new):
        raise UsageError(
            f"{key} is {_kind(old)} ({old!r}), but the change gives {_kind(new)}, {new!r}; give "
            f"{_kind(old)}" + (", key by key below it" if isinstance(old, dict) else "")
        )


def _kind(value: object) -> str:
    match value:
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case str():
            return "a word"
        case dict():
            return "a section"
        case _:
            return "a list"


def _refusal(error: ValidationError, changes: Mapping[str, Setting]) -> str:
    """Say what pydantic found, with the key and the value that it got."""
    said = [
        f"{'.'.join(map(str, problem['loc']))} cannot be {problem['input']!r}: {problem['msg']}"
        for problem in error.errors()
    ]
    return f"with the changes {dict(changes)}, " + "; ".join(said)
