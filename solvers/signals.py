"""Which signal ended a process."""

import signal

SHELL = 128
"""A shell, or mpirun, ends with this and the number of the signal that ended its program."""


def ended_by(exit_code: int | None) -> str:
    """Return the name of the signal that ended a process itself; empty where none did."""
    if exit_code is None or exit_code >= 0:
        return ""
    try:
        return signal.Signals(-exit_code).name
    except ValueError:  # a real-time one has no name
        return f"signal {-exit_code}"


def ended_below(exit_code: int) -> str:
    """Return the name of the signal that ended a command, itself or below a shell; or nothing."""
    number = -exit_code if exit_code < 0 else exit_code - SHELL
    known = {each.value: each.name for each in signal.Signals}
    return known.get(number, "")
