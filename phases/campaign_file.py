"""The campaign file as a tree of YAML, and changes to it from the command line."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeGuard

import yaml

from phases.yaml_text import parse_yaml
from pools.errors import UsageError
from pools.record import Setting


def read_yaml(path: Path) -> dict[str, Any]:
    """Read a file of keys and values.

    Raises:
        UsageError: it cannot be read, is not YAML, or gives a key twice.
    """
    try:
        content = parse_yaml(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(
            f"cannot read the campaign file {path}: {error.strerror}; give the path of a YAML "
            "file such as examples/channel.yaml"
        ) from error
    except UnicodeDecodeError as error:
        raise UsageError(
            f"{path} is not text in UTF-8; give a YAML file such as examples/channel.yaml"
        ) from error
    except (yaml.YAMLError, ValueError) as error:  # ValueError: a date that is none
        raise UsageError(f"{path}{_place(error)} is not YAML: {_problem(error)}") from error
    if not isinstance(content, dict):
        raise UsageError(
            f"{path} holds {_kind(content)}, but a campaign file holds keys and values, such as "
            "`name: channel`; see examples/channel.yaml"
        )
    return content


def override(content: dict[str, Any], change: str) -> None:
    """Change the tree in place as `KEY.KEY=VALUE` says; entries of lists count from 0.

    Raises:
        UsageError: it is not written so, or there is no such place.
    """
    key, value = _assignment(change)
    names = key.split(".")
    place: Any = content
    for name in names[:-1]:
        place = _enter(place, name, change)
    place[_key(place, names[-1], change)] = value


def read_changes(changes: Sequence[str]) -> dict[str, Setting]:
    """Return the values that `KEY.KEY=VALUE` changes give to settings, by key.

    Raises:
        UsageError: one is not written so, is given twice, or its value is not a single one.
    """
    given: dict[str, Setting] = {}
    for change in changes:
        key, value = _assignment(change)
        if key in given:
            raise UsageError(f"--set gives {key} twice, {given[key]!r} and {value!r}; keep one")
        if not isinstance(value, bool | int | float | str):
            raise UsageError(
                f"--set {change}: the value is {_kind(value)}, but a setting is a number, a word, "
                "or true or false; change it key by key"
            )
        given[key] = float(value) if _is_power_of_ten(value) else value
    return given


def _is_power_of_ten(value: Setting) -> TypeGuard[str]:
    """Whether it is a number such as 1e-6, which YAML takes for a word for want of a point."""
    return isinstance(value, str) and bool(re.fullmatch(r"[-+]?\d+[eE][-+]?\d+", value))


def _assignment(change: str) -> tuple[str, Any]:
    key, equals, text = change.partition("=")
    if not equals or not all(key.split(".")):
        raise UsageError(f"--set got {change!r}; write it as KEY.KEY=VALUE, e.g. seed=3")
    return key, _value(text, change)


def _enter(place: Any, name: str, change: str) -> Any:  # noqa: ANN401 - a tree of YAML
    key = _key(place, name, change)
    if isinstance(place, dict) and place.get(key) is None:
        place[key] = {}  # not in the file, or there without a value
    inner = place[key]
    if not isinstance(inner, dict | list):
        raise UsageError(
            f"--set {change}: {name} is {inner!r} in the campaign file, with no key below it; "
            f"give it a value with --set {change.partition(name)[0]}{name}=..."
        )
    return inner


def _key(place: Any, name: str, change: str) -> str | int:  # noqa: ANN401 - a tree of YAML
    if not isinstance(place, list):
        return name
    if not name.isdecimal() or int(name) >= len(place):
        raise UsageError(
            f"--set {change}: {name} is not an entry of the campaign file's list there; it has "
            f"{len(place)}, and they count from 0"
        )
    return int(name)


def _value(text: str, change: str) -> Any:  # noqa: ANN401 - a tree of YAML
    try:
        return parse_yaml(text)
    except (yaml.YAMLError, ValueError) as error:  # ValueError: a date that is none
        raise UsageError(
            f"--set {change}: the value is not YAML: {_problem(error)}; give a number, a word, or "
            "text in quotes"
        ) from error


def _place(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    return f" line {mark.line + 1}, column {mark.column + 1}" if mark else ""


def _problem(error: Exception) -> str:
    parts = (getattr(error, "context", None), getattr(error, "problem", None))
    return ", ".join(part for part in parts if part) or str(error).partition("\n")[0]


def _kind(content: object) -> str:
    return "nothing" if content is None else f"a {type(content).__name__}"
