"""Which steps see what a phase appended to a pool."""

from pools.ledger import Entry

_RETRY = "retry"


def retry_phase(number: int) -> str:
    """Name the phase of a campaign's retry by its number, from 1."""
    return f"{_RETRY}-{number:03d}"


def is_retry(entry: Entry) -> bool:
    """Whether a retry by hand made the entry, and not a step."""
    return entry.phase.startswith(_RETRY)


def is_seen(entry: Entry, step: int) -> bool:
    """Whether what a phase appended was there when this step trained.

    The step of a retry's entry is the first that trains after it.
    """
    if is_retry(entry):
        return entry.step <= step
    return entry.step < step or "design" in entry.phase
