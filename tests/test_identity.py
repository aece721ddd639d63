"""Items are the same when they hold the same."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from pools.errors import UsageError
from pools.sample import Sample
from strategies.identity import identity

DIFFERENT = [
    *(None, True, 1, 1.0, "1", b"1", -0.0, 0.0, (), [], {}, "", b""),
    *((1, 2), [1, 2], [[1], 2], [1, [2]], ["ab", "c"], ["a", "bc"], (1,), 2),
    *({"a": 1}, {"a": 2}, {"b": 1}, {1: "a"}, {"a": {"b": 1}}),
    *(np.zeros(3), np.zeros((3, 1)), np.zeros(3, np.float32), np.zeros(3, bool), np.float64(0)),
    *(torch.zeros(3), torch.zeros(3, 1), torch.zeros(3, dtype=torch.int64), torch.ones(3)),
    *(
        torch.zeros(3, dtype=torch.float16),
        torch.zeros(3, dtype=torch.bfloat16),
        torch.tensor(0.0),
    ),
    *(Path("a"), Sample.of({"x": 1.0}, "s"), Sample.of({"x": 2.0}, "s")),
]


def test_no_two_of_these_are_the_same() -> None:
    assert len({identity(item) for item in DIFFERENT}) == len(DIFFERENT)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"a": 1, "b": [2.0]}, {"b": [2.0], "a": 1}),
        (np.arange(6.0).reshape(2, 3).T, np.arange(6.0).reshape(2, 3).T.copy()),
        (torch.arange(6.0)[::2], torch.tensor([0.0, 2.0, 4.0])),
        (torch.ones(2, requires_grad=True), torch.ones(2)),
        (float("nan"), float("nan")),
        (Sample.of({"x": 1.0}, "s"), Sample.of({"x": 1.0}, "s")),
    ],
)
def test_these_are_the_same(one: Any, other: Any) -> None:
    assert identity(one) == identity(other)


def test_it_is_the_same_in_every_process() -> None:
    code = "from strategies.identity import identity; print(identity({'x': (1, 2.5), 'y': 'z'}))"
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.strip()
    assert found == identity({"y": "z", "x": (1, 2.5)})


def test_what_has_no_encoding_has_no_identity() -> None:
    with pytest.raises(UsageError):
        identity([object()])
