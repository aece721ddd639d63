"""A strategy logs to the log of what it is attached to."""

import inspect
import logging


def give_logger(strategy: object, logger: logging.Logger) -> None:
    """Let a strategy log there, unless it has a logger of its own making."""
    own = inspect.getattr_static(strategy, "logger", None)
    if isinstance(own, property) and own.fset is None:
        return
    try:
        strategy.logger = logger  # type: ignore[attr-defined]  # it is given one
    except AttributeError:  # it has slots, and none for it
        return
