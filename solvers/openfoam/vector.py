"""A vector as OpenFOAM writes it, told from other text: which component of it is no arithmetic."""

import re

from pools import expression
from pools.errors import UsageError
from solvers.components import AXES

_VECTOR = re.compile(r"(?:uniform\s+)?\((.*\S\s.*)\)", re.DOTALL)
_WAY_OUT = (
    "an entry is one number or word; write the vector in the template, which needs the #include, "
    "with a number of `derived` for each component that varies: ($u $v 0)"
)


def refusal(text: str) -> str:
    """Say why a vector is no entry, and which component fails; empty where it is no vector."""
    if (found := _VECTOR.fullmatch(text.strip())) is None:
        return ""
    components = zip(AXES, _parts(found.group(1)), strict=False)
    faults = [f"; its component {axis}: {said}" for axis, p in components if (said := _fault(p))]
    return f"got the vector {text!r}, but {_WAY_OUT}{''.join(faults)}"


def _parts(text: str) -> list[str]:
    """Split at what separates components: spaces and commas outside of brackets."""
    parts, depth = [""], 0
    for letter in text:
        depth += (letter == "(") - (letter == ")")
        if depth == 0 and (letter.isspace() or letter == ","):
            parts.append("")
        else:
            parts[-1] += letter
    return [part for part in parts if part]


def _fault(text: str) -> str:
    try:
        expression.check(text)
    except UsageError as error:
        return str(error)
    return ""
