"""How an attempt at a sample ended."""

from enum import StrEnum


class Outcome(StrEnum):
    """The seven ways an attempt can end."""

    OK = "ok"
    DIVERGED = "diverged"
    NOT_CONVERGED = "not_converged"
    MESH = "mesh"
    TIMEOUT = "timeout"
    BAD_OUTPUT = "bad_output"
    INFRASTRUCTURE = "infrastructure"
