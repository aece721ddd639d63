"""What is wrong with a campaign file, in words: the key, what it got, what is allowed."""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydantic_core import ErrorDetails

Location = Sequence[int | str]
Schema = dict[str, Any]

_SHOWN = 80  # characters of a value that is quoted

_MUST_BE = {
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "string_type": "text (put it in quotes)",
    "dict_type": "keys with values below it",
    "tuple_type": "a list, each entry after a dash",
    "list_type": "a list, each entry after a dash",
    "greater_than": "greater than {gt:g}",
    "greater_than_equal": "at least {ge:g}",
    "less_than": "less than {lt:g}",
    "less_than_equal": "at most {le:g}",
    "literal_error": "{expected}",
    "union_tag_invalid": "one of {expected_tags}",
    "too_short": "at least {min_length} long",
}


def explain(problems: Iterable[ErrorDetails], content: object, schema: Schema) -> list[str]:
    """Say every problem in a line.

    Args:
        problems: what pydantic found.
        content: the tree that it looked at.
        schema: the JSON schema of the tree.
    """
    said: dict[str, list[ErrorDetails]] = {}
    for problem in problems:
        if not _is_consequence(problem):
            said.setdefault(_where(problem, content), []).append(problem)
    return [_line(where, same, schema) for where, same in said.items()]


def _is_consequence(problem: ErrorDetails) -> bool:
    """Whether a list is only too short because its entries were refused."""
    return problem["type"] == "too_short" and len(problem["input"]) > 0


def _where(problem: ErrorDetails, content: object) -> str:
    """Return the place as `--set` writes it: without pydantic's names of a union's variants."""
    path, value, is_past_tag = [], content, False
    for part in problem["loc"]:
        if not is_past_tag and _is_tag(value, part):
            is_past_tag = True  # what comes next with this name is a key
            continue
        inner = _inner(value, part)
        if inner is not None or _names_a_key(value, part):
            path.append(str(part))
            value, is_past_tag = inner, False
    if problem["type"] in {"missing", "extra_forbidden"} and path[-1:] != [str(part)]:
        path.append(str(part))
    return ".".join([*path, "kind"] if problem["type"].startswith("union_tag") else path)


def _inner(value: object, part: int | str) -> object:
    if isinstance(value, Mapping):
        return value.get(part)
    return value[part] if isinstance(value, list | tuple) and isinstance(part, int) else None


def _is_tag(value: object, part: int | str) -> bool:
    """Whether this is how pydantic names the variant of a union that `kind` decides."""
    return isinstance(value, Mapping) and value.get("kind") == part


def _names_a_key(value: object, part: int | str) -> bool:
    return isinstance(value, Mapping) and part in value


def _line(where: str, same: Sequence[ErrorDetails], schema: Schema) -> str:
    texts = list(dict.fromkeys(_text(problem, schema) for problem in same))
    heads = [text.rpartition("must be ") for text in texts]
    if len(texts) > 1 and all(head == heads[0][0] for head, _, _ in heads):  # a union of types
        texts = [heads[0][0] + "must be " + ", or ".join(tail for _, _, tail in heads)]
    return f"{where}: {'; '.join(texts)}" if where else "; ".join(texts)


def _text(problem: ErrorDetails, schema: Schema) -> str:
    """Say one problem, without the place."""
    location = problem["loc"]
    match problem["type"]:
        case "extra_forbidden":
            return f"unknown key; {_nearest(location, schema)}"
        case "missing":
            return f"missing; it has no default{_described(location, schema)}"
        case "union_tag_not_found":
            return f"missing; it must be one of {_tags(location, schema)}"
        case "value_error":
            return problem["msg"].removeprefix("Value error, ")
        case _:
            return f"got {_shown(_given(problem))}, but it {_allowed(problem, schema)}"


def _given(problem: ErrorDetails) -> object:
    is_tag = problem["type"] == "union_tag_invalid"
    return problem["ctx"]["tag"] if is_tag else problem["input"]


def _allowed(problem: ErrorDetails, schema: Schema) -> str:
    """Say what a value may be."""
    location, context = problem["loc"], problem.get("ctx", {})
    match problem["type"]:
        case "string_pattern_mismatch":
            return f"must match {context['pattern']}{_described(location, schema)}"
        case "model_type" | "model_attributes_type":
            return f"must be keys with values below it: {_keys(location, schema)}"
        case kind if kind in _MUST_BE:
            return f"must be {_MUST_BE[kind].format(**context)}"
        case _:
            return f"is refused: {problem['msg']}"


def _shown(value: object) -> str:
    text = "nothing" if value is None else repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def _nearest(location: Location, schema: Schema) -> str:
    """Name the allowed key that is nearest to an unknown one, or all keys."""
    allowed = _keys_at(location[:-1], schema)
    near = difflib.get_close_matches(str(location[-1]), allowed, n=1)
    return f"did you mean {near[0]}?" if near else f"allowed are {', '.join(sorted(allowed))}"


def _described(location: Location, schema: Schema) -> str:
    texts = [node["description"] for node in _at(location, schema) if "description" in node]
    return f": {' '.join(texts[0].split())}" if texts else ""


def _keys(location: Location, schema: Schema) -> str:
    return ", ".join(sorted(_keys_at(location, schema)))


def _tags(location: Location, schema: Schema) -> str:
    tags = [tag for node in _at(location, schema) for tag in _mapping(node)]
    return ", ".join(repr(tag) for tag in tags)


def _keys_at(location: Location, schema: Schema) -> set[str]:
    """Return the keys that the schema allows at a place, of all variants that may be meant."""
    nodes = [variant for node in _at(location, schema) for variant in _variants(node)]
    return {key for node in nodes for key in _resolve(schema, node).get("properties", {})}


def _at(location: Location, schema: Schema) -> list[Schema]:
    """Return the schema's nodes at a place."""
    nodes = [schema]
    for part in location:
        nodes = [inner for node in nodes for inner in _below(schema, node, part)]
    return nodes


def _below(root: Schema, node: Schema, part: int | str) -> list[Schema]:
    if part in (mapping := _mapping(node)):
        return [_resolve(root, {"$ref": mapping[str(part)]})]
    found = [_child(_resolve(root, variant), part) for variant in _variants(node)]
    return [child for child in found if child is not None]


def _child(node: Schema, part: int | str) -> Schema | None:
    if isinstance(part, int):
        return node.get("items")
    children = [
        node.get("properties", {}).get(part),
        node.get("additionalProperties"),  # of any name, or of any that looks so
        *node.get("patternProperties", {}).values(),
    ]
    return next((child for child in children if isinstance(child, dict)), None)


def _mapping(node: Schema) -> dict[str, str]:
    """Return where the schema of each kind is, for a union that a key decides."""
    mapping: dict[str, str] = node.get("discriminator", {}).get("mapping", {})
    return mapping


def _variants(node: Schema) -> list[Schema]:
    return node.get("oneOf") or node.get("anyOf") or [node]


def _resolve(root: Schema, node: Schema) -> Schema:
    while "$ref" in node:
        node = root["$defs"][node["$ref"].rpartition("/")[2]]
    return node
