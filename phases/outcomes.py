"""How the samples of a campaign ended, as the ledger had recorded it when a step trained.

The ledger and not the samples' records: those change when a person tries again, and a query that
is done again must see what it saw.
"""

from collections.abc import Iterable, Iterator, Sequence
from statistics import fmean
from typing import Any

from phases.asked import labelled_picks
from phases.campaign import Campaign
from phases.seen import is_retry, is_seen
from pools.ledger import Entry
from pools.outcome import Outcome
from pools.outcomes import Outcomes
from pools.pick import Pick
from pools.record import SampleRecord

_LEAST_SECONDS = 1e-6  # what took no time has no ratio


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
    earlier version does not tell. Seconds of a cheaper level of the solver are told as what the
    finest would have taken.
    """
    names, relative = campaign.config.parameters.names, relative_seconds(campaign, step)
    tried = [
        (pick.sample.row(names), outcome is Outcome.OK, seconds / relative[pick.sample.level])
        for pick, outcome, seconds in _tried(campaign, step)
    ]
    return Outcomes.of(tried, campaign.config.parameters.d)


def relative_seconds(campaign: Campaign, step: int) -> dict[str, float]:
    """Return what a sample takes at each level of the solver, over what it takes at the finest.

    As declared, or as the samples took that were tried before a step trained.
    """
    config = campaign.config
    declared = [level.seconds for level in reversed(config.levels) if level.seconds is not None]
    found = declared or _measured_seconds(campaign, step)
    return {name: each / found[0] for name, each in zip(config.level_names, found, strict=True)}


def own_seconds(record: SampleRecord) -> float:
    """Return the solver seconds of the tries that ended for a reason of the sample's own."""
    own = [a.cost.wall_seconds for a in record.attempts if a.outcome is not Outcome.INFRASTRUCTURE]
    return round(sum(own), 6)


def _measured_seconds(campaign: Campaign, step: int) -> list[float]:
    """Return the mean seconds at each level, the finest first; 1 of all where one is unknown."""
    if not campaign.config.levels:
        return [1.0]
    taken: dict[str, list[float]] = {name: [] for name in campaign.config.level_names}
    for pick, _, seconds in _tried(campaign, step):
        taken[pick.sample.level].append(seconds)
    if not all(taken.values()):
        return [1.0] * len(taken)
    return [max(fmean(seconds), _LEAST_SECONDS) for seconds in taken.values()]


def _tried(campaign: Campaign, step: int) -> Iterator[tuple[Pick, Outcome, float]]:
    seen = [entry for entry in campaign.ledger.entries() if is_seen(entry, step)]
    last = _last_told(seen)
    for pick in labelled_picks(campaign, seen, "pool"):
        if pick.sample.id in last:
            yield pick, *last[pick.sample.id]


def _last_told(seen: Sequence[Entry]) -> dict[str, tuple[Outcome, float]]:
    """Return how each sample stood, a later entry instead of an earlier one."""
    summaries = [e.summary for e in seen if e.phase.startswith("label") or is_retry(e)]
    return {
        name: (Outcome(outcome), float(summary["seconds"][name]))
        for summary in summaries
        for name, outcome in summary.get("samples", {}).items()
        if outcome != Outcome.INFRASTRUCTURE and name in summary.get("seconds", {})
    }
