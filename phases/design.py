"""The design phase: the initial samples and the test set, drawn before anything is learnt."""

from collections.abc import Sequence
from pathlib import Path

from phases.asked import write_picks
from phases.campaign import Campaign, Work
from phases.progress import say
from pools.candidates import DesignSequence
from pools.ledger import Entry
from pools.pick import Pick
from pools.sample import Sample
from pools.seeds import seed_for


def design(campaign: Campaign) -> Entry:
    """Draw the initial design and the independent test set, each from its own Sobol' sequence."""
    return campaign.once(0, "design", lambda _: draw(campaign))


def design_sequence(campaign: Campaign, used: int) -> DesignSequence:
    """Return the sequence that the initial design began, with `used` of its points gone."""
    seed = seed_for(campaign.config.seed, 0, "initial design")
    return DesignSequence(campaign.config.domain, seed, used, campaign.solver.fingerprint)


def draw(campaign: Campaign) -> Work:
    """Write the initial samples and the test set; doing it again gives the same files."""
    config = campaign.config
    say(f"design: {config.initial_samples} initial samples, {config.test_samples} for testing")
    seed = seed_for(config.seed, 0, "test set")
    rows = config.domain.sobol(config.test_samples, seed)
    names, fingerprint = config.parameters.names, campaign.solver.fingerprint
    initial = design_sequence(campaign, 0).next(config.initial_samples)
    files = (
        _write(campaign, "initial.json", initial, "initial design"),
        _write(campaign, "test.json", Sample.of_rows(rows, names, fingerprint), "test set"),
    )
    return Work(files, {"initial": config.initial_samples, "test": config.test_samples})


def _write(campaign: Campaign, name: str, samples: Sequence[Sample], asked_by: str) -> Path:
    picks = [Pick(sample, asked_by, reason="Sobol' sequence") for sample in samples]
    return write_picks(campaign.step_directory(0) / name, picks)
