"""Durations as people write them: 90, 90s, 15m, 2h."""

import re

from pools.errors import UsageError

_SECONDS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_FORM = re.compile(r"(\d+(?:\.\d+)?)\s*([smhd]?)")


def seconds_of(text: str) -> float:
    """Return how many seconds a duration has.

    Raises:
        UsageError: it is not written as one, or is nothing.
    """
    found = _FORM.fullmatch(text.strip())
    seconds = float(found[1]) * _SECONDS[found[2]] if found else 0.0
    if seconds <= 0:
        raise UsageError(
            f"{text!r} is no duration; write seconds, or a number with s, m, h or d, such as 90, "
            "90s, 15m or 2h"
        )
    return seconds
