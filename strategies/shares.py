"""Samples are whole: the samples of steps dealt out in proportion to shares.

[Balinski1982] M. L. Balinski and H. P. Young, Fair representation: meeting the ideal of one man,
one vote, Yale University Press, 1982.
"""

from collections.abc import Sequence


def split(k: int, shares: Sequence[float], *, before: int = 0) -> list[int]:
    """Deal out `k` samples in proportion to `shares`, by Webster's method [Balinski1982].

    One sample after the other goes to whom it is due most, and goes on where `before` samples
    ended: so a small share that rounds to nothing in one step gets its sample in a later one. Of
    equals the first wins.

    Args:
        k: how many to deal out now.
        shares: of each, relative to the others'.
        before: how many were dealt out before.
    """
    now, then = _dealt(before + k, shares), _dealt(before, shares)
    return [later - earlier for later, earlier in zip(now, then, strict=True)]


def _dealt(k: int, shares: Sequence[float]) -> list[int]:
    counts = [0] * len(shares)
    for _ in range(k):
        due = max(range(len(shares)), key=lambda i: shares[i] / (2 * counts[i] + 1))
        counts[due] += 1
    return counts
