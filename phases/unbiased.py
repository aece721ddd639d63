"""The unbiased share of a campaign: what each step's surrogate foretold of its Sobol' points.

The labels of a step are compared with its surrogate in the metrology of the next one, which has
not been measured yet when they are appended; so every number is of a learner that had not seen the
samples.
"""

from pathlib import Path

from phases.asked import queried_picks
from phases.campaign import Campaign
from phases.step_file import read_step_file
from pools.files import publish_json
from pools.ledger import Entry
from pools.seeds import seed_for
from pools.training import TrainingPool
from strategies.foretold import Foretold
from strategies.remaining import SOBOL
from strategies.unbiased import UnbiasedError, foretell, scales_of, unbiased_error
from surrogates.checkpoint import load


def write_unbiased(campaign: Campaign, step: int) -> tuple[Path, UnbiasedError | None]:
    """Publish what the surrogate of the step before foretold, and the estimate up to here.

    Returns:
        The file, and the estimate; None where no sample has been foretold yet.
    """
    new = _foretold_before(campaign, step)
    earlier = foretold_until(campaign, step - 1)
    estimate = unbiased_error([*earlier, *new], seed_for(campaign.config.seed, step, "unbiased"))
    file = _file(campaign, step)
    publish_json(
        file,
        {
            "foretold": [each.to_json() for each in new],
            "estimate": None if estimate is None else estimate.to_json(),
        },
    )
    return file, estimate


def foretold_until(campaign: Campaign, step: int) -> list[Foretold]:
    """Return what was foretold up to and with the metrology of a step, in the order of asking."""
    entries = [e for e in campaign.ledger.entries() if e.phase == "metrology" and e.step <= step]
    return [each for entry in entries for each in _foretold(campaign, entry)]


def read_unbiased(campaign: Campaign, step: int) -> list[Foretold]:
    """Return what was foretold of the samples that joined the pool just before a step.

    Raises:
        IntegrityError: the file is missing or damaged.
    """
    entry = campaign.ledger.find(step, "metrology")
    return [] if entry is None else _foretold(campaign, entry)


def estimate_in(entry: Entry) -> UnbiasedError | None:
    """Return the unbiased error as a metrology found it; None without samples."""
    found = entry.summary.get("unbiased")
    return None if found is None else UnbiasedError.from_json(found)


def _foretold_before(campaign: Campaign, step: int) -> list[Foretold]:
    if step == 0:
        return []
    before = step - 1
    asked = {p.sample.id for p in queried_picks(campaign, before) if p.asked_by == SOBOL}
    shard = campaign.directory / f"pool/step-{before:03d}.h5"
    with TrainingPool([shard]) as pool, campaign.training_pool(before) as learnt:
        chosen = [index for index, name in enumerate(pool.ids) if name in asked]
        scales = scales_of(learnt.quantities[learnt.finest])
        return foretell(load(campaign.checkpoint(before)), pool, chosen, scales, before)


def _file(campaign: Campaign, step: int) -> Path:
    return campaign.step_directory(step) / "unbiased.json"


def _foretold(campaign: Campaign, entry: Entry) -> list[Foretold]:
    """Return what a metrology published; nothing of a version that did not measure it."""
    file = _file(campaign, entry.step)
    if str(file.relative_to(campaign.directory)) not in entry.artifacts:
        return []
    content = read_step_file(file, "holds what was foretold")
    return [Foretold.from_json(each) for each in content["foretold"]]
