"""One run at a time in a campaign's directory: what a run does that finds another one at work."""

import time
from collections.abc import Callable
from typing import Literal

from prefect.runtime import deployment
from prefect.states import Cancelled

from pools.errors import BusyError

WhenBusy = Literal["cancel", "wait"]

NOT_BEGUN = "not begun: "
"""How the message begins of a run that was cancelled before it did anything."""
_SECONDS_BETWEEN_LOOKS = 5.0


def alone(work: Callable[[], str], when_busy: WhenBusy) -> str:
    """Do the work of a run once no other run is at work in the campaign.

    Args:
        work: what the run does; it says so where another one is at work.
        when_busy: what is done then: `cancel` this run, or `wait`.

    Returns:
        What the work returns; a cancelled state where another run is at work.

    Raises:
        BusyError: where the run is to be cancelled and is no deployment's: somebody looks at it.
    """
    while True:
        try:
            return work()
        except BusyError as error:
            if when_busy == "cancel":
                if deployment.id is None:
                    raise
                return Cancelled(message=f"{NOT_BEGUN}{error}")  # type: ignore[return-value]
        time.sleep(_SECONDS_BETWEEN_LOOKS)
