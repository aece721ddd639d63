"""Campaigns through the plain phase functions: no flows, no server."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from campaign_examples import WAVE

from phases.campaign import Campaign
from phases.campaign_driver import CampaignDriver
from phases.campaign_phases import PlainWork
from phases.config import parse
from phases.label import label_sample
from pools.errors import SolverError
from pools.pick import Pick
from solvers.workers import SolverWorkers

QUICK: dict[str, Any] = {
    **WAVE,
    "surrogate": {
        **WAVE["surrogate"],
        "members": 2,
        "initial": {"kind": "cosine", "start": 0.01, "end": 1e-4, "length": 60},
        "fine_tune": {"kind": "exponential", "start": 5e-3, "end": 1e-4, "length": 30},
    },
}
"""The small campaign with little training: what it learns does not matter here."""


def start(directory: Path, **changes: Any) -> Campaign:
    """Start or resume the quick campaign, with changes."""
    return Campaign.start(parse({**QUICK, **changes}, "test"), directory)


def solve(
    campaign: Campaign, step: int, picks: Sequence[Pick], *, retry_failed: bool = False
) -> dict[str, SolverError]:
    """Label picks one after the other, and return what failed by sample id."""
    failed = {}
    with SolverWorkers(campaign.config.solver, 1) as workers:
        for pick in picks:
            try:
                label_sample(campaign, step, pick, workers, retry_failed=retry_failed)
            except SolverError as error:
                failed[pick.sample.id] = error
    return failed


def prepare(campaign: Campaign) -> None:
    """Label the initial design and the test set, and begin the pool."""
    PlainWork().prepare(campaign)


def run(campaign: Campaign) -> str:
    """Run a campaign from where it stands until a rule stops it, and return why."""
    return CampaignDriver(campaign).run()


def files_of(directory: Path) -> dict[str, bytes]:
    """Return the bytes of every file of a campaign, by relative path."""
    files = (path for path in directory.rglob("*") if path.is_file())
    return {str(path.relative_to(directory)): path.read_bytes() for path in files}


def stopped_in_part(directory: Path) -> Path:
    """Run a campaign of one step, in which samples of all kinds fail, and return its directory."""
    campaign = start(
        directory,
        solver={"kind": "analytic", "problem": "wave", "fails_above": 0.55},
        query=[{"kind": "sobol"}],
        label={"min_success_fraction": 0.1},
        stopping={"max_steps": 1},
    )
    run(campaign)
    return directory
