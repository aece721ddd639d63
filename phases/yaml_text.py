"""YAML as a campaign file writes it: plain values, no key twice, no more than it seems to hold.

An alias stands for what it names, so a few lines can stand for gigabytes ("billion laughs"), and a
list can hold itself; both are refused before anything is made of them.
"""

import math
from collections.abc import Hashable
from typing import Any

import yaml

_LARGEST = 1 << 20  # characters and nodes, each alias counted as what it stands for


def parse_yaml(text: str) -> Any:  # noqa: ANN401 - a tree of YAML
    """Return what a text in YAML holds.

    Raises:
        yaml.YAMLError: it is not YAML, gives a key twice, asks for an object of a program, is
            nested too deeply, or holds more than a campaign file can need.
        ValueError: it has a date that is none.
    """
    try:
        return yaml.load(text, Loader=_PlainValues)  # noqa: S506 - it is a SafeLoader
    except RecursionError:
        raise yaml.YAMLError("it is nested too deeply; write it flatter") from None


class _PlainValues(yaml.SafeLoader):
    """YAML as it is, but for its size and its keys: one given twice is an error, `on` is a word.

    One of two would be lost; and YAML 1.1 takes on, off, yes and no for true and false.
    """

    def get_single_node(self) -> yaml.Node | None:
        node = super().get_single_node()
        if node is not None and (size := _size(node, {})) > _LARGEST:
            much = "without end" if math.isinf(size) else f"of {size:,.0f} characters"
            raise yaml.YAMLError(
                f"with its aliases written out it is {much}, but at most {_LARGEST:,} are read; "
                "write out what you need, without aliases"
            )
        return node

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:  # noqa: FBT001, FBT002 - PyYAML's signature
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                continue  # PyYAML says what is wrong with it
            if key.value in seen and key.tag != "tag:yaml.org,2002:merge":
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key.value} is given twice; keep one", key.start_mark
                )
            seen.add(str(key.value))
            if key.tag == "tag:yaml.org,2002:bool":
                key.tag = "tag:yaml.org,2002:str"
        return super().construct_mapping(node, deep)


def _size(node: yaml.Node, known: dict[int, float]) -> float:
    """Return how much a node holds, written out; infinitely much where it holds itself."""
    if id(node) not in known:
        known[id(node)] = math.inf  # until it is counted
        known[id(node)] = 1 + sum(_size(part, known) for part in _parts(node)) + _length(node)
    return known[id(node)]


def _parts(node: yaml.Node) -> list[yaml.Node]:
    match node:
        case yaml.MappingNode():
            return [part for pair in node.value for part in pair]
        case yaml.SequenceNode():
            return list(node.value)
        case _:
            return []


def _length(node: yaml.Node) -> int:
    return len(node.value) if isinstance(node, yaml.ScalarNode) else 0
