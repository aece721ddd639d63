"""What a solver gives as evidence, as JSON that any reader takes."""

import math
from collections.abc import Mapping

import numpy as np


def as_json(value: object) -> object:
    """Return the value in JSON's types; a number that is not finite becomes a word, as nan."""
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return float(value) if math.isfinite(value) else str(float(value))
        case Mapping():
            return {str(key): as_json(inner) for key, inner in value.items()}
        case list() | tuple() | set() | frozenset():
            return [as_json(inner) for inner in value]
        case np.ndarray() | np.generic():
            return as_json(value.tolist())
        case _:
            return str(value)
