"""Progress bars on a terminal; elsewhere there are none."""

from tqdm import tqdm


def epoch_bar(total: int | None, *, shown: bool) -> "tqdm[None]":
    """Return a bar that counts epochs; `total` is None where their number is not known."""
    return _bar("epoch", total, 0, shown=shown)


def batch_bar(*, shown: bool) -> "tqdm[None]":
    """Return a bar that counts batches, below the other one; it is reset every epoch."""
    return _bar("batch", None, 1, shown=shown)


def _bar(unit: str, total: int | None, position: int, *, shown: bool) -> "tqdm[None]":
    hidden = None if shown else True  # None: hidden where the standard error is no terminal
    return tqdm(total=total, unit=unit, position=position, leave=False, disable=hidden)
