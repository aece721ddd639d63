"""What a campaign has spent of its budget."""

from collections.abc import Iterable

from phases.campaign import Campaign
from phases.residual import RESIDUAL_SECONDS
from phases.seen import is_retry, is_seen
from pools.ledger import Entry
from strategies.budget import budget_left


def seconds_of(entries: Iterable[Entry]) -> float:
    """Add up what the solver ran for training samples, and for queries that ask for residuals.

    The test set is not counted.
    """
    return sum(_seconds(entry) for entry in entries)


def _seconds(entry: Entry) -> float:
    if entry.phase.startswith("label") or is_retry(entry):
        return float(entry.summary["solver_seconds"])
    return float(entry.summary.get(RESIDUAL_SECONDS, 0.0)) if entry.phase == "query" else 0.0


def budget_left_at(campaign: Campaign, step: int) -> float:
    """Return the share of solver seconds that was left when a step trained; 0 without a budget."""
    seen = [entry for entry in campaign.ledger.entries() if is_seen(entry, step)]
    return budget_left(seconds_of(seen), campaign.config.stopping)
