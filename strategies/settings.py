"""The settings of the query strategies, as a campaign file gives them."""

from collections.abc import Sequence
from functools import partial
from typing import Annotated, Literal, assert_never

from pydantic import BaseModel, ConfigDict, Field

from strategies.needed import Querying
from strategies.query import AcquisitionQuery, SobolContinuation
from strategies.sbal import sbal
from strategies.shares import split
from strategies.top_k import top_k
from strategies.uniform_random import uniform_random

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


def build_query(settings: QuerySettings, k: int) -> Querying:
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


def build_queries(settings: Sequence[QuerySettings], k: int) -> list[Querying]:
    """Return the strategies that share `k` samples of a step, but those without a sample."""
    counts = split(k, [each.fraction for each in settings])
    pairs = zip(settings, counts, strict=True)
    return [build_query(each, count) for each, count in pairs if count > 0]
