"""The query phase: choose what the solver is asked next."""

from collections import Counter
from dataclasses import replace

from phases.asked import write_picks
from phases.campaign import Campaign, Work
from phases.scope import scope
from pools.ledger import Entry
from strategies.picking import run_queries
from strategies.remaining import open_candidates
from strategies.settings import build_queries


def query(campaign: Campaign, step: int) -> Entry:
    """Choose the samples of a step and say which strategy asked for each, and why."""
    return campaign.once(step, "query", lambda _: choose(campaign, step))


def choose(campaign: Campaign, step: int) -> Work:
    """Write the selection of a step; doing it again gives the same file."""
    config = campaign.config
    with scope(campaign, step, "query") as seen:
        k = min(config.samples_per_step, len(open_candidates(seen)))
        strategies = build_queries(config.query, k)
        picks = run_queries(strategies, replace(seen, query_strategies=strategies))
    file = write_picks(campaign.step_directory(step) / "selection.json", picks)
    return Work([file], {"asked_by": dict(Counter(pick.asked_by for pick in picks))})
