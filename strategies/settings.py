"""The settings of the query strategies, as a campaign file gives them.

[Balinski1982] M. L. Balinski and H. P. Young, Fair representation: meeting the ideal of one man,
one vote, Yale University Press, 1982.
"""

import math
from collections.abc import Sequence
from functools import partial
from typing import Annotated, Literal, assert_never

from pydantic import BaseModel, ConfigDict, Field

from strategies.protocols import QueryStrategy
from strategies.query import AcquisitionQuery, SobolContinuation
from strategies.sbal import sbal
from strategies.top_k import top_k
from strategies.uniform_random import uniform_random

_MODEL = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)
_ROUNDING = 1e-9  # so that 29 % of 100 is 29

Share = Annotated[
    float,
    Field(
        gt=0,
        le=1,
        description="Share of each step's samples, relative to the other strategies' shares; one "
        "that rounds to no sample asks for none.",
    ),
]


class RandomSettings(BaseModel):
    """Uniformly random candidates: the baseline."""

    model_config = _MODEL

    kind: Literal["random"] = "random"
    fraction: Share = 1.0


class SobolSettings(BaseModel):
    """The Sobol' sequence of the initial design goes on, whatever the learner says."""

    model_config = _MODEL

    kind: Literal["sobol"] = "sobol"
    fraction: Share = 1.0


class TopKSettings(BaseModel):
    """The candidates of largest variance; they cluster, and are often worse than random."""

    model_config = _MODEL

    kind: Literal["top_k"] = "top_k"
    fraction: Share = 1.0


class SbalSettings(BaseModel):
    """Stochastic batch active learning: candidates drawn in proportion to variance ** beta."""

    model_config = _MODEL

    kind: Literal["sbal"] = "sbal"
    fraction: Share = 1.0
    beta: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 1.0
    """Exponent of the variance: 0 is random, 1 is SBAL, large is top-K."""


QuerySettings = Annotated[
    RandomSettings | SobolSettings | TopKSettings | SbalSettings, Field(discriminator="kind")
]
"""The settings of any query strategy; `kind` says which."""


def build_query(settings: QuerySettings, k: int) -> QueryStrategy:
    """Return the query strategy that these settings describe, to ask for `k` samples a step."""
    match settings:
        case RandomSettings():
            return AcquisitionQuery(k, uniform_random, settings.kind)
        case SobolSettings():
            return SobolContinuation(k)
        case TopKSettings():
            return AcquisitionQuery(k, top_k, settings.kind)
        case SbalSettings():
            return AcquisitionQuery(k, partial(sbal, beta=settings.beta), settings.kind)
        case _:
            assert_never(settings)


def build_queries(settings: Sequence[QuerySettings], k: int) -> list[QueryStrategy]:
    """Return the strategies that share `k` samples of a step; those with no sample are left out."""
    counts = split(k, [each.fraction for each in settings])
    pairs = zip(settings, counts, strict=True)
    return [build_query(each, count) for each, count in pairs if count > 0]


def split(k: int, shares: Sequence[float]) -> list[int]:
    """Split `k` samples in proportion to `shares` by largest remainder [Balinski1982].

    The counts sum to `k` and each is within one of its exact share; of equal remainders the first
    wins.
    """
    exact = [k * share / sum(shares) for share in shares]
    counts = [math.floor(value + _ROUNDING) for value in exact]
    by_remainder = sorted(range(len(shares)), key=lambda i: counts[i] - exact[i])
    for i in by_remainder[: k - sum(counts)]:
        counts[i] += 1
    return counts
