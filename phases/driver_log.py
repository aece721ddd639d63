"""A driver's log: JSON lines in its directory, lines on the console, step and phase with each.

The loggers lie below `solverloop`, so whoever listens there, such as Prefect, hears them too. Each
driver has loggers of its own: two in one process do not mix.
"""

import hashlib
import json
import logging
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from phases.progress import LOGGER
from pools.errors import CampaignError

FILE = "driver_log.json"


@dataclass(frozen=True, slots=True)
class Where:
    """What a driver is at when it logs."""

    step: int
    phase: str


class DriverLog:
    """The log of one driver.

    Args:
        directory: the driver's directory; made if need be. A log that is there is continued.
        run_id: name of the run.
        where: says what the driver is at.
        is_quiet: whether nothing is written: neither file nor console, as on all ranks but one.
    """

    def __init__(
        self, directory: Path, run_id: str, where: Callable[[], Where], *, is_quiet: bool = False
    ) -> None:
        place = hashlib.sha256(str(directory.resolve()).encode()).hexdigest()[:8]
        self.logger = logging.getLogger(f"{LOGGER}.driver.{run_id.replace('.', '-')}-{place}")
        self.logger.setLevel(logging.INFO)
        self.logger.propagate = not is_quiet
        self.close()  # of a driver that had this directory before
        if is_quiet:
            self.logger.addHandler(logging.NullHandler())
            return
        self.logger.addHandler(_with(_file_handler(directory / FILE), _Json(where)))
        if not (logging.getLogger().handlers or logging.getLogger(LOGGER).handlers):
            self.logger.addHandler(_with(logging.StreamHandler(sys.stderr), _Plain(where)))

    def of(self, name: str) -> logging.Logger:
        """Return the logger of a strategy."""
        return self.logger.getChild(name.replace(".", "-"))

    def close(self) -> None:
        """Close the file."""
        for handler in list(self.logger.handlers):
            self.logger.removeHandler(handler)
            handler.close()


class _Json(logging.Formatter):
    """A record as one line of JSON."""

    def __init__(self, where: Callable[[], Where]) -> None:
        super().__init__()
        self._where = where

    def format(self, record: logging.LogRecord) -> str:
        where = self._where()
        content: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "step": where.step,
            "phase": where.phase,
            "logger": record.name.rpartition(".")[2],
            "message": record.getMessage(),
        }
        if record.exc_info:
            content["exception"] = self.formatException(record.exc_info)
        return json.dumps(content, ensure_ascii=False)


class _Plain(logging.Formatter):
    """A record as a line to read."""

    def __init__(self, where: Callable[[], Where]) -> None:
        super().__init__("%(message)s")
        self._where = where

    def format(self, record: logging.LogRecord) -> str:
        where = self._where()
        level = "" if record.levelno == logging.INFO else f"{record.levelname.lower()}: "
        return f"step {where.step} {where.phase or '-'}: {level}{super().format(record)}"


def _file_handler(file: Path) -> logging.Handler:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        return logging.FileHandler(file, encoding="utf-8")
    except OSError as error:
        raise CampaignError(
            f"cannot write {file}: {error.strerror}; make the directory writable, or give another "
            "root_log_dir"
        ) from error


def _with(handler: logging.Handler, formatter: logging.Formatter) -> logging.Handler:
    handler.setFormatter(formatter)
    return handler
