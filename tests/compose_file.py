"""What docker/compose.yaml says of a service, with its variables filled in as Compose does."""

import re
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[1]
COMPOSE = ROOT / "docker" / "compose.yaml"

# `$$`, `${NAME}`, `${NAME:-default}` and `${NAME:?message}`.
VARIABLE = re.compile(r"\$(?:\$|\{(?P<name>\w+)(?::(?P<how>[-?])(?P<rest>[^}]*))?\})")


@dataclass(frozen=True, slots=True)
class Declared:
    """One service: what it runs, with which environment, and what says that it is well."""

    command: tuple[str, ...]
    environment: Mapping[str, str] = field(repr=False)
    health: tuple[str, ...]
    stop_signal: signal.Signals


def declared(name: str, variables: Mapping[str, str]) -> Declared:
    """Return what the file says of the service `name`."""
    service = read()["services"][name]
    filled = each_text(service, lambda text: fill(text, variables))
    return Declared(
        tuple(filled["command"]),
        filled["environment"],
        _health(filled["healthcheck"]["test"]),
        signal.Signals[filled.get("stop_signal", "SIGTERM")],
    )


def read() -> dict[str, Any]:
    """Return the file with its anchors resolved, and its variables as they are written."""
    content = yaml.safe_load(COMPOSE.read_text())
    assert isinstance(content, dict)
    return content


def each_text(value: Any, change: Callable[[str], str]) -> Any:
    """Return a tree of lists and mappings with every text changed."""
    match value:
        case str():
            return change(value)
        case list():
            return [each_text(item, change) for item in value]
        case dict():
            return {key: each_text(item, change) for key, item in value.items()}
        case _:
            return value


def fill(text: str, variables: Mapping[str, str]) -> str:
    """Return a text with its variables' values; one that must be set and is not is an error."""

    def value(found: re.Match[str]) -> str:
        if (name := found["name"]) is None:
            return "$"
        default = found["rest"] if found["how"] == "-" else None
        if (filled := variables.get(name) or default) is None:
            raise KeyError(f"{name} has no value: {found['rest']}")
        return filled

    return VARIABLE.sub(value, text)


def _health(test: list[str]) -> tuple[str, ...]:
    match test:
        case ["CMD", *command]:
            return tuple(command)
        case ["CMD-SHELL", line]:
            return ("sh", "-c", line)
    raise ValueError(f"a health check is [CMD, ...] or [CMD-SHELL, line], not {test}")
