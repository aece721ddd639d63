"""The query phase: choose what the solver is asked next."""

from collections import Counter

from phases.asked import write_picks
from phases.campaign import Campaign, Work
from phases.scope import scope
from pools.ledger import Entry
from strategies.picking import run_queries
from strategies.settings import build_queries


def query(campaign: Campaign, step: int) -> Entry:
    """Choose the samples of a step and say which strategy asked for each, and why."""
    return campaign.once(step, "query", lambda _: _query(campaign, step))


def _query(campaign: Campaign, step: int) -> Work:
    config = campaign.config
    strategies = build_queries(config.query, config.samples_per_step)
    with scope(campaign, step, "query") as seen:
        picks = run_queries(strategies, seen)
    file = write_picks(campaign.step_directory(step) / "selection.json", picks)
    return Work([file], {"asked_by": dict(Counter(pick.asked_by for pick in picks))})
