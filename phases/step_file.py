"""Reading what a phase published, or saying how it can be had again."""

import json
from pathlib import Path
from typing import Any

from pools.errors import IntegrityError


def read_step_file(file: Path, what: str) -> Any:  # noqa: ANN401 - JSON
    """Read the JSON of a step.

    Args:
        file: the file.
        what: it holds, in words, for the error.

    Raises:
        IntegrityError: it is missing or damaged.
    """
    try:
        return json.loads(file.read_text())
    except (OSError, ValueError) as error:
        raise damaged(file, what, error) from error


def damaged(file: Path, what: str, error: Exception) -> IntegrityError:
    """Return the error of a file that can be made again."""
    return IntegrityError(
        f"cannot read {file}, which {what} ({error}); run `solverloop check` on the campaign's "
        "directory: it makes the file again"
    )
