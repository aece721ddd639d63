"""Samples are whole: a step's budget split in proportion to shares.

[Balinski1982] M. L. Balinski and H. P. Young, Fair representation: meeting the ideal of one man,
one vote, Yale University Press, 1982.
"""

import math
from collections.abc import Sequence


def split(k: int, shares: Sequence[float]) -> list[int]:
    """Split `k` samples in proportion to `shares` by largest remainder [Balinski1982].

    The counts sum to `k` and each is within one of its exact share; of equal remainders the first
    wins.
    """
    exact = [k * share / sum(shares) for share in shares]
    counts = [math.floor(value) for value in exact]
    by_remainder = sorted(range(len(shares)), key=lambda i: counts[i] - exact[i])
    for i in by_remainder[: k - sum(counts)]:
        counts[i] += 1
    return counts
