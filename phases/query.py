"""The query phase: choose what the solver is asked next."""

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from phases.asked import queried_before, write_picks
from phases.campaign import Campaign, Work
from phases.levels import at_levels
from phases.outcomes import relative_seconds
from phases.progress import LOGGER
from phases.residual import RESIDUAL_SECONDS
from phases.scope import Scope, scope
from pools.domain import Domain
from pools.errors import UsageError
from pools.ledger import Entry
from pools.pick import Pick
from pools.seeds import seed_for
from strategies.budget import within
from strategies.picking import run_queries
from strategies.remaining import open_candidates
from strategies.settings import build_queries
from surrogates.cost import fit_cost


def query(campaign: Campaign, step: int) -> Entry:
    """Choose the samples of a step and say which strategy asked for each, and why."""
    return campaign.once(step, "query", lambda _: choose(campaign, step))


def choose(campaign: Campaign, step: int) -> Work:
    """Write the selection of a step; doing it again gives the same file."""
    config = campaign.config
    with scope(campaign, step, "query") as seen:
        k = min(config.samples_per_step, len(open_candidates(seen)))
        before = len(queried_before(campaign, step))
        strategies = build_queries(config.query, k, before=before)
        asked = run_queries(strategies, replace(seen, query_strategies=strategies))
        check_within(asked, config.domain)
        picks = _affordable(campaign, seen, at_levels(campaign, seen, asked))
    file = write_picks(campaign.step_directory(step) / "selection.json", picks)
    return Work([file], summary_of(picks, seen.residual.seconds))


def summary_of(picks: Sequence[Pick], residual_seconds: float) -> dict[str, Any]:
    """Return what the ledger says of a query: who asked, and what its residuals took if it had."""
    asked_by = {"asked_by": dict(Counter(pick.asked_by for pick in picks))}
    return asked_by | ({RESIDUAL_SECONDS: round(residual_seconds, 3)} if residual_seconds else {})


def check_within(picks: Sequence[Pick], domain: Domain) -> None:
    """Refuse what a strategy of a user's own asks for beyond the constraints.

    Raises:
        UsageError: a sample does not meet them.
    """
    for pick in picks:
        try:
            domain.check(pick.sample.parameters)
        except ValueError as error:
            raise UsageError(
                f"the query {pick.asked_by} asked for the sample {pick.sample.id}: {error}; let "
                "it choose from driver.unlabeled_pool, or draw from driver.design.domain"
            ) from None


def _affordable(campaign: Campaign, seen: Scope, picks: Sequence[Pick]) -> Sequence[Pick]:
    """Return as many of the picks as the step's seconds are expected to pay for."""
    budget, step = campaign.config.step_seconds, seen.active_learning_step_idx
    if budget is None or not picks:
        return picks
    cost = fit_cost(seen.space, seen.outcomes, seed_for(campaign.config.seed, step, "cost"))
    relative = relative_seconds(campaign, step)
    seconds = cost(np.stack([pick.sample.row(seen.space.names) for pick in picks]))
    seconds *= [relative[pick.sample.level] for pick in picks]
    kept = within(budget, picks, seconds)
    logging.getLogger(f"{LOGGER}.query").info(
        "%d of %d samples kept: the solver is expected to take %.3g of %.3g s for them",
        *(len(kept), len(picks), seconds[kept].sum(), budget),
    )
    return [picks[index] for index in kept]
