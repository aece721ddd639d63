"""Strategies on the command line: `hybrid:shortlist=8,beta=schedule`, or several with `+`."""

from collections.abc import Sequence
from typing import get_args

import yaml
from pydantic import TypeAdapter, ValidationError

from pools.errors import UsageError
from strategies.settings import QuerySettings

_ADAPTER: TypeAdapter[QuerySettings] = TypeAdapter(QuerySettings)


def queries_of(name: str) -> tuple[QuerySettings, ...]:
    """Return the settings of the query strategies that share a step.

    Args:
        name: `KIND` or `KIND:KEY=VALUE,...`, several of them joined with `+`; keys and values as
            in a campaign file, `fraction` among them: `sbal:fraction=0.9+sobol:fraction=0.1`.

    Raises:
        UsageError: a kind, a key or a value that is not allowed.
    """
    return tuple(_query_of(part) for part in name.split("+"))


def settings_of(queries: Sequence[QuerySettings]) -> str:
    """Return all settings, defaults included, as text: equal where the settings are."""
    return " + ".join(query.model_dump_json() for query in queries)


def _query_of(part: str) -> QuerySettings:
    kind, _, options = part.partition(":")
    given = {"kind": kind, **dict(_pair(option) for option in options.split(",") if options)}
    try:
        return _ADAPTER.validate_python(given)
    except ValidationError as error:
        first = error.errors()[0]
        raise UsageError(
            f"strategy {part!r}: {'.'.join(map(str, first['loc']))} {first['msg']}; "
            f"{_allowed(kind)}"
        ) from error


def _pair(option: str) -> tuple[str, object]:
    key, equals, value = option.partition("=")
    if not equals:
        raise UsageError(f"{option!r} is no setting; write KEY=VALUE, such as beta=0.5")
    return key, yaml.safe_load(value)


def _allowed(kind: str) -> str:
    union, _ = get_args(QuerySettings)
    models = {model.model_fields["kind"].default: model for model in get_args(union)}
    if kind not in models:
        return f"kinds are {', '.join(models)}"
    keys = [key for key in models[kind].model_fields if key != "kind"]
    return f"settings of {kind} are {', '.join(keys)}, as in docs/campaign-file.md"
