"""Which level of the campaign's solver each sample of a step is asked of."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from phases.asked import tried_picks
from phases.campaign import Campaign
from phases.outcomes import relative_seconds
from phases.scope import Scope
from pools.pick import Pick
from strategies.level_choice import LevelChoice, choose_levels
from strategies.level_settings import progress_of
from strategies.remaining import SOBOL


def at_levels(campaign: Campaign, seen: Scope, picks: Sequence[Pick]) -> Sequence[Pick]:
    """Return the picks, each asked of the level of the solver that is worth most there.

    What the Sobol' sequence asks for stays at the finest level: its error is that of the finest.
    """
    free = [place for place, pick in enumerate(picks) if pick.asked_by != SOBOL]
    if not campaign.config.levels or not free:
        return picks
    chosen = _chosen(campaign, seen, [picks[place] for place in free])
    placed = dict(zip(free, chosen, strict=True))
    return [placed.get(place, pick) for place, pick in enumerate(picks)]


def _chosen(campaign: Campaign, seen: Scope, picks: Sequence[Pick]) -> list[Pick]:
    """Return picks that may be asked of any level, each with its level and why."""
    step, names = seen.active_learning_step_idx, campaign.config.level_names
    known = {pick.sample.id for pick in tried_picks(campaign, step)}
    asked = [_asked_of(campaign, picks, level) for level in names]  # (levels, k)
    relative, share = relative_seconds(campaign, step), _fine_share(campaign, seen)
    choice = choose_levels(
        seen.learner,
        np.stack([pick.sample.row(seen.space.names) for pick in picks]),
        [relative[level] for level in names],
        share,
        np.array([[pick.sample.id not in known for pick in level] for level in asked]),
    )
    told = _reasons(campaign, choice, list(relative.values()), share)
    return [
        replace(pick, reason="; ".join(filter(None, (pick.reason, why))))
        for pick, why in zip((asked[b][k] for k, b in enumerate(choice.below)), told, strict=True)
    ]


def _asked_of(campaign: Campaign, picks: Sequence[Pick], level: str) -> list[Pick]:
    solver = campaign.fingerprints[level]
    return [replace(pick, sample=pick.sample.asked_of(level, solver)) for pick in picks]


def _fine_share(campaign: Campaign, seen: Scope) -> float:
    """Return the least share of the finest level at this step."""
    config, step = campaign.config, seen.active_learning_step_idx
    labelled, left = len(seen.training_pool), seen.budget_left
    return config.fine_share.at(progress_of(config.stopping, step, labelled, left))


def _reasons(
    campaign: Campaign, choice: LevelChoice, relative: Sequence[float], share: float
) -> list[str]:
    """Say of each pick why its level is asked."""
    names = [level.name for level in reversed(campaign.config.levels)]  # the finest first

    def worth(level: int, k: int) -> str:
        part = f"{choice.explained[level, k]:.0%} of the variance here"
        return f"explains {part} in {relative[level]:.2g} of the seconds"

    def why(below: int, k: int) -> str:
        if below:
            return f"asked of {names[below]}, which {worth(below, k)}"
        others = ", ".join(f"{names[i]} {worth(i, k)}" for i in range(1, len(names)))
        return f"asked of {names[0]}, whose share is {share:.0%} at least: {others}"

    return [why(below, k) for k, below in enumerate(choice.below.tolist())]
