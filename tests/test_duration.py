"""Durations as people write them."""

import pytest

from flows.duration import seconds_of
from pools.errors import UsageError


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90", 90), ("90s", 90), ("15m", 900), ("2h", 7200), ("1.5h", 5400), ("1d", 86400)],
)
def test_durations(text: str, seconds: float) -> None:
    assert seconds_of(text) == seconds


@pytest.mark.parametrize(
    "text", ["", "h", "2 hours", "-3", "0", "0s", "nan", "inf", "1e3", "2h30"]
)
def test_what_is_none(text: str) -> None:
    with pytest.raises(UsageError, match="is no duration; write seconds"):
        seconds_of(text)
