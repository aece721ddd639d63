"""What was asked of the solver: the picks of a design or a query, on disk."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from phases.campaign import Campaign
from pools.errors import IntegrityError
from pools.files import publish_json
from pools.pick import Pick
from pools.sample import Sample


def write_picks(file: Path, picks: Sequence[Pick]) -> Path:
    """Publish picks and return their file."""
    publish_json(file, [asdict(pick) for pick in picks])
    return file


def read_picks(file: Path) -> list[Pick]:
    """Read what `write_picks` wrote.

    Raises:
        IntegrityError: the file is missing or damaged.
    """
    try:
        content = json.loads(file.read_text())
        return [Pick(**{**pick, "sample": Sample(**pick["sample"])}) for pick in content]
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise IntegrityError(
            f"cannot read {file}, which lists samples that were asked for ({error}); run "
            "`solverloop check` on the campaign's directory: it makes the file again"
        ) from error


def initial_picks(campaign: Campaign) -> list[Pick]:
    """Return the initial design."""
    return read_picks(campaign.step_directory(0) / "initial.json")


def test_picks(campaign: Campaign) -> list[Pick]:
    """Return the test set."""
    return read_picks(campaign.step_directory(0) / "test.json")


def queried_picks(campaign: Campaign, step: int) -> list[Pick]:
    """Return what the query of a step chose."""
    return read_picks(campaign.step_directory(step) / "selection.json")
