"""The settings of the hybrid, and the acquisition that they make of what a step knows."""

import math
from collections.abc import Sequence
from typing import Annotated, Literal

import numpy as np
from pydantic import BaseModel, Field

from pools.seeds import seed_for
from strategies.exponent import measured_exponent, scheduled_exponent
from strategies.feature_settings import Likeness
from strategies.foretold import Foretold
from strategies.hybrid import Hybrid
from strategies.needed import CampaignScope
from strategies.plain_settings import MODEL, Refine, Share

_ENOUGH = 8  # foretold samples from which an exponent can be measured
_FIRST_FLOOR, _FALL, _LAST_FLOOR = 0.85, 0.05, 0.6  # how they were chosen: docs/efficiency.md

Power = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class HybridSettings(BaseModel):
    """LCMD with distances that count by uncertainty: a batch that differs in itself.

    Where the solver is likely to fail nothing is asked.
    """

    model_config = MODEL

    kind: Literal["hybrid"] = "hybrid"
    fraction: Share = 1.0
    refine: Refine = False
    shortlist: Annotated[float, Field(ge=1, allow_inf_nan=False)] | Literal["pool"] = "pool"
    """`pool`: LCMD chooses among all candidates, whose squared distances count by their weights. A
    number: so many candidates are drawn by weight per sample asked for, and LCMD chooses among
    them; 1 is SBAL."""
    beta: Power | Literal["schedule", "measured"] = "schedule"
    """Exponent of the variance: 0 ignores it; `schedule` is 0 in the first step, then 0.5;
    `measured` is the rank correlation of variance and error on the Sobol' share, once that has 8
    samples."""
    feasibility: bool = True
    """Whether the chance of a solution counts, as learnt from the samples that were tried."""
    floor: Annotated[float, Field(ge=0, le=1)] | Literal["schedule"] = "schedule"
    """Least chance of a solution to be asked for, while enough candidates have it; where too few
    have, a quarter. `schedule` is 0.85 in the first step and falls by 0.05 a step to 0.6; 0.8 all
    along wastes less and learns less about the edge."""
    cost: Power | Literal["cooled"] = 0.0
    """Exponent of the expected solver seconds: 0 ignores them, which was best also per second
    where it was measured; `cooled` is the share of `stopping.budget_solver_seconds` that is left.
    """
    features: Likeness = "gradients"


def hybrid_at(settings: HybridSettings, driver: CampaignScope) -> Hybrid:
    """Return the hybrid of a step, with what its outcomes tell of feasibility and cost."""
    from surrogates.cost import fit_cost  # scikit-learn takes a second to load
    from surrogates.feasibility import fit_feasibility

    alpha = driver.budget_left if settings.cost == "cooled" else settings.cost
    seed = seed_for(0, driver.active_learning_step_idx, "hybrid")
    seen = (driver.space, driver.outcomes, seed)
    return Hybrid(
        shortlist=math.inf if settings.shortlist == "pool" else settings.shortlist,
        beta=_exponent(settings.beta, driver.active_learning_step_idx, driver.foretold),
        alpha=alpha,
        feasibility=fit_feasibility(*seen) if settings.feasibility else None,
        cost=fit_cost(*seen) if alpha else None,
        floor=_floor(settings.floor, driver.active_learning_step_idx),
        features=settings.features,
    )


def _floor(floor: float | Literal["schedule"], step: int) -> float:
    return max(_LAST_FLOOR, _FIRST_FLOOR - _FALL * step) if floor == "schedule" else floor


def _exponent(
    beta: float | Literal["schedule", "measured"], step: int, foretold: Sequence[Foretold]
) -> float:
    known = [each for each in foretold if each.variance is not None]
    match beta:
        case "measured" if len(known) >= _ENOUGH:
            variances = np.array([each.variance for each in known], float)
            return measured_exponent(variances, np.array([each.error for each in known]))
        case "measured" | "schedule":
            return scheduled_exponent(step)
        case _:
            return beta
