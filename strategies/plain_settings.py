"""Settings of the query strategies that draw at random or by uncertainty alone."""

from functools import partial
from typing import Annotated, Literal, assert_never

from pydantic import BaseModel, ConfigDict, Field

from strategies.acquisition import Acquisition
from strategies.latin_hypercube import latin_hypercube
from strategies.mix import Mix, Part
from strategies.sbal import sbal
from strategies.top_k import top_k
from strategies.uniform_random import uniform_random

MODEL = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

Share = Annotated[
    float,
    Field(
        gt=0,
        le=1,
        description="Share of the samples, relative to the other strategies' shares; one too "
        "small for a sample in every step has its samples in some of them.",
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


class RandomSettings(BaseModel):
    """Uniformly random candidates: the baseline."""

    model_config = MODEL

    kind: Literal["random"] = "random"
    fraction: Share = 1.0


class LatinHypercubeSettings(BaseModel):
    """The candidates nearest to a new Latin hypercube, whatever the learner says."""

    model_config = MODEL

    kind: Literal["latin_hypercube"] = "latin_hypercube"
    fraction: Share = 1.0


class TopKSettings(BaseModel):
    """The candidates of largest variance; they cluster, and are often worse than random."""

    model_config = MODEL

    kind: Literal["top_k"] = "top_k"
    fraction: Share = 1.0
    refine: Refine = False


class SbalSettings(BaseModel):
    """Stochastic batch active learning: candidates drawn in proportion to variance ** beta."""

    model_config = MODEL

    kind: Literal["sbal"] = "sbal"
    fraction: Share = 1.0
    refine: Refine = False
    beta: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 1.0
    """Exponent of the variance: 0 is random, 1 is SBAL, large is top-K."""


class MixSettings(BaseModel):
    """The candidates of largest variance, and random ones, so that the batch covers the rest."""

    model_config = MODEL

    kind: Literal["mix"] = "mix"
    fraction: Share = 1.0
    uncertain: Annotated[float, Field(gt=0, lt=1)] = 0.6
    """Share of the batch that is of largest variance; the others are drawn at random."""


PlainSettings = RandomSettings | LatinHypercubeSettings | TopKSettings | SbalSettings | MixSettings


def plain_acquisition(settings: PlainSettings) -> Acquisition:
    """Return the acquisition that these settings describe."""
    match settings:
        case RandomSettings():
            return uniform_random
        case LatinHypercubeSettings():
            return latin_hypercube
        case TopKSettings():
            return top_k
        case SbalSettings():
            return partial(sbal, beta=settings.beta)
        case MixSettings():
            return uncertain_and_random(settings.uncertain)
        case _:
            assert_never(settings)


def uncertain_and_random(uncertain: float) -> Mix:
    """Return the mix of the largest variances, with this share of a batch, and random choice."""
    parts = {"top_k": Part(top_k, uncertain), "random": Part(uniform_random, 1 - uncertain)}
    return Mix(parts)
