"""That a person said to go on without the samples of a label phase that failed."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from phases.asked import initial_picks, queried_picks, test_picks
from phases.campaign import Campaign
from pools.files import publish_json
from pools.pick import Pick
from pools.record import SampleRecord


def unsolved(campaign: Campaign) -> list[SampleRecord]:
    """Return the failed samples of the label phase that the campaign stands at; none elsewhere."""
    places = [campaign.sample_directory(pick.sample.id) for pick in _open_picks(campaign)]
    return [
        record
        for place in places
        if (record := place.read()) is not None and not place.is_solved(record)
    ]


def accept(campaign: Campaign, by: str) -> None:
    """Let the label phase that the campaign stands at succeed with what is solved, one at least.

    Args:
        campaign: whose.
        by: who says so, for whoever asks later.
    """
    content = {
        "without": [record.pick.sample.id for record in unsolved(campaign)],
        "by": by,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    publish_json(_file(campaign, *_standing(campaign)), content)


def is_accepted(campaign: Campaign, step: int, phase: str) -> bool:
    """Whether a person said to go on without what failed in this label phase."""
    return _file(campaign, step, phase).exists()


def _open_picks(campaign: Campaign) -> Sequence[Pick]:
    step, phase = _standing(campaign)
    if campaign.ledger.find(step, "design" if phase == "label_design" else "query") is None:
        return []
    if phase == "label":
        return queried_picks(campaign, step)
    return [*initial_picks(campaign), *test_picks(campaign)]


def _standing(campaign: Campaign) -> tuple[int, str]:
    if campaign.ledger.find(0, "label_design") is None:
        return 0, "label_design"
    return campaign.first_unfinished_step(), "label"


def _file(campaign: Campaign, step: int, phase: str) -> Path:
    return campaign.step_directory(step) / f"{phase}-accepted.json"
