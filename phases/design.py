"""The design phase: the initial samples and the test set, drawn before anything is learnt."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from phases.asked import write_picks
from phases.campaign import Campaign, Work
from phases.progress import say
from pools.candidates import DesignSequence
from pools.ledger import Entry
from pools.pick import Pick
from pools.sample import Sample
from pools.seeds import seed_for

Array = NDArray[np.float64]

INITIAL = "initial design"
"""Who asked for the initial samples."""


def design(campaign: Campaign) -> Entry:
    """Draw the initial design and the independent test set, each from its own Sobol' sequence."""
    return campaign.once(0, "design", lambda _: draw(campaign))


def design_sequence(campaign: Campaign, used: int, others: Array | None = None) -> DesignSequence:
    """Return the sequence that the initial design began.

    Args:
        campaign: whose.
        used: how many of its points are gone.
        others: points that it passes over where they may come again, shape (m, d).
    """
    seed = seed_for(campaign.config.seed, 0, "initial design")
    fingerprint = campaign.solver.fingerprint
    return DesignSequence(campaign.config.domain, seed, used, fingerprint, others)


def draw(campaign: Campaign) -> Work:
    """Write the initial samples and the test set; doing it again gives the same files."""
    config = campaign.config
    initial = _nested(campaign)
    say(f"design: {len(initial)} initial samples, {config.test_samples} for testing")
    seed = seed_for(config.seed, 0, "test set")
    names, fingerprint = config.parameters.names, campaign.solver.fingerprint
    learnt = np.array([sample.row(names) for sample in initial])  # (m, d)
    rows = config.domain.sobol(config.test_samples, seed, others=learnt)
    files = (
        _write(campaign, "initial.json", initial, INITIAL),
        _write(campaign, "test.json", Sample.of_rows(rows, names, fingerprint), "test set"),
    )
    return Work(files, {"initial": len(initial), "test": config.test_samples})


def _nested(campaign: Campaign) -> list[Sample]:
    """Return the initial samples of all levels of the solver, the finest first.

    All begin with the same points, so that the points of a level are among those of the cheaper.
    """
    counts = campaign.config.initial_counts
    points = design_sequence(campaign, 0).next(max(counts.values()))
    return [
        point.asked_of(level, campaign.fingerprints[level])
        for level, count in counts.items()
        for point in points[:count]
    ]


def _write(campaign: Campaign, name: str, samples: Sequence[Sample], asked_by: str) -> Path:
    picks = [Pick(sample, asked_by, reason="Sobol' sequence") for sample in samples]
    return write_picks(campaign.step_directory(0) / name, picks)
