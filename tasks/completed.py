"""The end of a run in words, with its result."""

from typing import TypeVar

from prefect.states import Completed

T = TypeVar("T")


def completed(message: str, result: T) -> T:
    """Return a final state that says what happened; Prefect hands its result to the caller.

    Args:
        message: what happened, as the UI shows it.
        result: of the task or the flow.
    """
    return Completed(message=message, data=result)  # type: ignore[return-value]  # see above
