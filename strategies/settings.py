"""The settings of the query strategies, as a campaign file gives them."""

import math
from collections.abc import Sequence
from functools import partial
from typing import Annotated, ClassVar, Literal, assert_never

from pydantic import BaseModel, ConfigDict, Field

from strategies.exponent import scheduled_exponent
from strategies.hybrid import Hybrid
from strategies.lcmd import lcmd
from strategies.needed import CampaignScope, Querying
from strategies.query import AcquisitionQuery, SobolContinuation
from strategies.refined_query import RefinedQuery
from strategies.sbal import sbal
from strategies.shares import split
from strategies.stepwise import StepwiseQuery
from strategies.top_k import top_k
from strategies.uniform_random import uniform_random
from surrogates.prediction import FeatureKind

_MODEL = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

Share = Annotated[
    float,
    Field(
        gt=0,
        le=1,
        description="Share of each step's samples, relative to the other strategies' shares; one "
        "that rounds to no sample asks for none.",
    ),
]

Refine = Annotated[
    bool,
    Field(
        description="Whether each chosen candidate is moved to larger variance nearby, by "
        "projected gradient, within half the way to its nearest neighbour; only real parameters "
        "change.",
    ),
]

Likeness = Annotated[
    FeatureKind,
    Field(
        description="What makes candidates alike: sketched gradients of the outputs by the "
        "weights, the last layer's inputs, the members' outputs, an inner representation, or the "
        "parameters themselves.",
    ),
]


class RandomSettings(BaseModel):
    """Uniformly random candidates: the baseline."""

    model_config = _MODEL

    needs_spread: ClassVar[bool] = False

    kind: Literal["random"] = "random"
    fraction: Share = 1.0


class SobolSettings(BaseModel):
    """The Sobol' sequence of the initial design goes on, whatever the learner says."""

    model_config = _MODEL

    needs_spread: ClassVar[bool] = False

    kind: Literal["sobol"] = "sobol"
    fraction: Share = 1.0


class TopKSettings(BaseModel):
    """The candidates of largest variance; they cluster, and are often worse than random."""

    model_config = _MODEL

    needs_spread: ClassVar[bool] = True

    kind: Literal["top_k"] = "top_k"
    fraction: Share = 1.0
    refine: Refine = False


class SbalSettings(BaseModel):
    """Stochastic batch active learning: candidates drawn in proportion to variance ** beta."""

    model_config = _MODEL

    needs_spread: ClassVar[bool] = True

    kind: Literal["sbal"] = "sbal"
    fraction: Share = 1.0
    refine: Refine = False
    beta: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 1.0
    """Exponent of the variance: 0 is random, 1 is SBAL, large is top-K."""


class LcmdSettings(BaseModel):
    """Largest cluster maximum distance: the farthest candidate of the largest cluster, repeated.

    No uncertainty is asked for; the batch covers what the labelled points leave far away.
    """

    model_config = _MODEL

    kind: Literal["lcmd"] = "lcmd"
    fraction: Share = 1.0
    features: Likeness = "gradients"

    @property
    def needs_spread(self) -> bool:
        """Whether the surrogate must have several members."""
        return self.features == "ensemble"


class HybridSettings(BaseModel):
    """A shortlist drawn by uncertainty, of which LCMD chooses a batch that differs in itself."""

    model_config = _MODEL

    kind: Literal["hybrid"] = "hybrid"
    fraction: Share = 1.0
    refine: Refine = False
    shortlist: Annotated[float, Field(ge=1, allow_inf_nan=False)] | Literal["pool"] = 4.0
    """Candidates drawn per sample asked for: 1 is SBAL, and `pool` takes all of them."""
    beta: Annotated[float, Field(ge=0, allow_inf_nan=False)] | Literal["schedule"] = 1.0
    """Exponent of the variance: 0 ignores it, and `schedule` is 0, 0.5, 1, 1, ... by step."""
    features: Likeness = "gradients"

    @property
    def needs_spread(self) -> bool:
        """Whether the surrogate must have several members."""
        return self.beta != 0 or self.features == "ensemble" or self.refine


QuerySettings = Annotated[
    RandomSettings | SobolSettings | TopKSettings | SbalSettings | LcmdSettings | HybridSettings,
    Field(discriminator="kind"),
]
"""The settings of any query strategy; `kind` says which."""


def build_query(settings: QuerySettings, k: int) -> Querying:
    """Return the query strategy that these settings describe, to ask for `k` samples a step."""
    query = _choosing(settings, k)
    match settings:
        case TopKSettings() | SbalSettings() | HybridSettings():
            return RefinedQuery(query) if settings.refine else query
        case _:
            return query


def _choosing(settings: QuerySettings, k: int) -> Querying:
    """Return who chooses among the candidates, or goes on with the sequence."""
    match settings:
        case RandomSettings():
            return AcquisitionQuery(k, uniform_random, settings.kind)
        case SobolSettings():
            return SobolContinuation(k)
        case TopKSettings():
            return AcquisitionQuery(k, top_k, settings.kind)
        case SbalSettings():
            return AcquisitionQuery(k, partial(sbal, beta=settings.beta), settings.kind)
        case LcmdSettings():
            return AcquisitionQuery(k, partial(lcmd, features=settings.features), settings.kind)
        case HybridSettings():
            return StepwiseQuery(k, partial(_hybrid, settings), settings.kind)
        case _:
            assert_never(settings)


def _hybrid(settings: HybridSettings, driver: CampaignScope) -> Hybrid:
    step = driver.active_learning_step_idx
    return Hybrid(
        shortlist=math.inf if settings.shortlist == "pool" else settings.shortlist,
        beta=scheduled_exponent(step) if settings.beta == "schedule" else settings.beta,
        features=settings.features,
    )


def build_queries(settings: Sequence[QuerySettings], k: int) -> list[Querying]:
    """Return the strategies that share `k` samples of a step, but those without a sample."""
    counts = split(k, [each.fraction for each in settings])
    pairs = zip(settings, counts, strict=True)
    return [build_query(each, count) for each, count in pairs if count > 0]
