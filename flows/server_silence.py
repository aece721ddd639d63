"""What is said while the Prefect server is away, of which its client says nothing.

The client tells each try to its own logger as something for its developers; the first of them and
then one a minute are said to whoever looks at the run.
"""

import logging
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager

from prefect.settings import PREFECT_API_URL, PREFECT_CLIENT_MAX_RETRIES

from phases.progress import LOGGER

_CLIENT = "prefect.client"
_AGAIN = re.compile(r"Another attempt will be made in ([\d.]+)s")
_STATUS = re.compile(r"status code (\d+)")
_SECONDS_BETWEEN_WORDS = 60.0


@contextmanager
def silence_told() -> Iterator[None]:
    """Say so while the server does not answer what this process asks it."""
    logger = logging.getLogger(_CLIENT)
    told, level = _Told(logger.getEffectiveLevel()), logger.level
    logger.addFilter(told)
    logger.setLevel(logging.DEBUG)
    try:
        yield
    finally:
        logger.setLevel(level)
        logger.removeFilter(told)


class _Told(logging.Filter):
    """Says what the client says of another try, and keeps of its words what was kept before."""

    def __init__(self, level: int) -> None:
        super().__init__()
        self._level = level
        self._last = -float("inf")

    def filter(self, record: logging.LogRecord) -> bool:
        again = _AGAIN.search(record.getMessage())
        if again and time.monotonic() - self._last >= _SECONDS_BETWEEN_WORDS:
            self._last = time.monotonic()
            logging.getLogger(LOGGER).warning(
                "the Prefect server %s %s; it is asked again in %.0f s, and so on for %.0f min. "
                "What is solved is on disk: a run that ends by this goes on "
                "where it was when it is begun again",
                PREFECT_API_URL.value(),
                _cause(record),
                float(again[1]),
                (2 ** (PREFECT_CLIENT_MAX_RETRIES.value() + 1) - 2) / 60,  # 2 + 4 + 8 + ...
            )
        return record.levelno >= self._level


def _cause(record: logging.LogRecord) -> str:
    """Say what came instead of an answer, in few words."""
    if record.exc_info and record.exc_info[1] is not None:
        error = record.exc_info[1]
        return f"does not answer ({type(error).__name__}: {error})".replace(": )", ")")
    status = _STATUS.search(record.getMessage())
    return f"answers with the error {status[1]}" if status else "does not answer"
