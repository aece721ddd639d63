"""What was asked of the solver: the picks of a design or a query, on disk."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path

from phases.campaign import Campaign
from phases.step_file import damaged, read_step_file
from pools.errors import UsageError
from pools.files import publish_json
from pools.ledger import Entry
from pools.pick import Pick
from pools.sample import Sample, lean


def write_picks(file: Path, picks: Sequence[Pick]) -> Path:
    """Publish picks and return their file."""
    publish_json(file, [asdict(pick, dict_factory=lean) for pick in picks])
    return file


def read_picks(file: Path) -> list[Pick]:
    """Read what `write_picks` wrote.

    Raises:
        IntegrityError: the file is missing or damaged.
    """
    what = "lists samples that were asked for"
    content = read_step_file(file, what)
    try:
        return [Pick(**{**pick, "sample": Sample(**pick["sample"])}) for pick in content]
    except (TypeError, KeyError) as error:
        raise damaged(file, what, error) from error


def initial_picks(campaign: Campaign) -> list[Pick]:
    """Return the initial design."""
    return read_picks(campaign.step_directory(0) / "initial.json")


def test_picks(campaign: Campaign) -> list[Pick]:
    """Return the test set."""
    return read_picks(campaign.step_directory(0) / "test.json")


def pick_of(campaign: Campaign, step: int, sample_id: str) -> Pick:
    """Return the sample of this id that a step asked for; step 0 has the design's as well.

    Raises:
        UsageError: the step asked for no such sample.
    """
    designed = [*initial_picks(campaign), *test_picks(campaign)] if step == 0 else []
    is_queried = campaign.ledger.find(step, "query") is not None
    asked = [*designed, *(queried_picks(campaign, step) if is_queried else [])]
    found = [pick for pick in asked if pick.sample.id == sample_id]
    if not found:
        raise UsageError(
            f"step {step} of {campaign.directory} asked for no sample {sample_id!r}; "
            f"`solverloop failures {campaign.directory}` lists those that failed, with their steps"
        )
    return found[0]


def tried_picks(campaign: Campaign, step: int) -> list[Pick]:
    """Return all that was asked for before a step, the initial design and the test set first."""
    designed = campaign.ledger.find(0, "design") is not None
    first = [*initial_picks(campaign), *test_picks(campaign)] if designed else []
    return [*first, *queried_before(campaign, step)]


def labelled_picks(campaign: Campaign, entries: Iterable[Entry], pool: str) -> list[Pick]:
    """Return what was asked for a pool in the label phases among some entries, in order.

    Args:
        campaign: whose.
        entries: of its ledger; others than label phases asked for nothing.
        pool: `pool` (training) or `test`.
    """
    return [pick for entry in entries for pick in _labelled_by(campaign, entry, pool)]


def _labelled_by(campaign: Campaign, entry: Entry, pool: str) -> list[Pick]:
    match entry.phase, pool:
        case "label_design", "pool":
            return initial_picks(campaign)
        case "label_design", "test":
            return test_picks(campaign)
        case "label", "pool":
            return queried_picks(campaign, entry.step)
        case _:
            return []


def queried_picks(campaign: Campaign, step: int) -> list[Pick]:
    """Return what the query of a step chose."""
    return read_picks(campaign.step_directory(step) / "selection.json")


def queried_before(campaign: Campaign, step: int) -> list[Pick]:
    """Return what the queries of all steps before this one chose."""
    return [pick for k in range(step) for pick in queried_picks(campaign, k)]
