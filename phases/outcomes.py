"""How the samples of a campaign ended, as the ledger had recorded it when a step trained.

The ledger and not the samples' records: those change when a person tries again, and a query that
is done again must see what it saw.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from phases.asked import labelled_picks
from phases.campaign import Campaign
from phases.seen import is_retry, is_seen
from pools.ledger import Entry
from pools.outcome import Outcome
from pools.outcomes import Array, Outcomes
from pools.record import SampleRecord


def told(records: Iterable[SampleRecord]) -> dict[str, Any]:
    """Return what the ledger keeps of samples that were tried: outcomes and seconds, by id."""
    tried = {r.pick.sample.id: (r.outcome, own_seconds(r)) for r in records if r.outcome}
    return {
        "samples": {name: outcome.value for name, (outcome, _) in tried.items()},
        "seconds": {name: seconds for name, (_, seconds) in tried.items()},
    }


def outcomes(campaign: Campaign, step: int) -> Outcomes:
    """Return the training samples that were tried before a step trained, by whoever asked first.

    The test set is left out, as everywhere where something is chosen; so is what a ledger of an
    earlier version does not tell.
    """
    seen = [entry for entry in campaign.ledger.entries() if is_seen(entry, step)]
    return Outcomes.of(_tried(campaign, seen), campaign.config.parameters.d)


def own_seconds(record: SampleRecord) -> float:
    """Return the solver seconds of the tries that ended for a reason of the sample's own."""
    own = [a.cost.wall_seconds for a in record.attempts if a.outcome is not Outcome.INFRASTRUCTURE]
    return round(sum(own), 6)


def _tried(campaign: Campaign, seen: Sequence[Entry]) -> Iterator[tuple[Array, bool, float]]:
    names = campaign.config.parameters.names
    last = _last_told(seen)
    for pick in labelled_picks(campaign, seen, "pool"):
        if pick.sample.id in last:
            outcome, seconds = last[pick.sample.id]
            yield pick.sample.row(names), outcome is Outcome.OK, seconds


def _last_told(seen: Sequence[Entry]) -> dict[str, tuple[Outcome, float]]:
    """Return how each sample stood, a later entry instead of an earlier one."""
    summaries = [e.summary for e in seen if e.phase.startswith("label") or is_retry(e)]
    return {
        name: (Outcome(outcome), float(summary["seconds"][name]))
        for summary in summaries
        for name, outcome in summary.get("samples", {}).items()
        if outcome != Outcome.INFRASTRUCTURE and name in summary.get("seconds", {})
    }
