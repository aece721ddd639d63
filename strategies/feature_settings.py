"""Settings of the query strategies that compare candidates by the learner's features."""

from functools import partial
from typing import Annotated, Literal, assert_never

from pydantic import BaseModel, Field

from strategies.acquisition import Acquisition
from strategies.bait import bait
from strategies.core_set import core_set
from strategies.kmeans_plus_plus import kmeans_plus_plus
from strategies.latent_novelty import latent_novelty
from strategies.lcmd import lcmd
from strategies.maxdet import maxdet
from strategies.plain_settings import MODEL, Share
from surrogates.prediction import FeatureKind

Likeness = Annotated[
    FeatureKind,
    Field(
        description="What makes candidates alike: sketched gradients of the outputs by the "
        "weights, the last layer's inputs, the members' outputs, an inner representation, or the "
        "parameters themselves.",
    ),
]
Noise = Annotated[
    float,
    Field(
        gt=0,
        le=1,
        description="Standard deviation of an answer's noise, relative to the prior's.",
    ),
]


class CoreSetSettings(BaseModel):
    """Core-set: the candidate farthest from all that is labelled or chosen, repeated."""

    model_config = MODEL

    kind: Literal["core_set"] = "core_set"
    fraction: Share = 1.0
    features: Likeness = "gradients"


class KmeansPlusPlusSettings(BaseModel):
    """k-means++: candidates drawn by squared distance from all that is labelled or chosen."""

    model_config = MODEL

    kind: Literal["kmeans_plus_plus"] = "kmeans_plus_plus"
    fraction: Share = 1.0
    features: Likeness = "gradients"


class MaxDetSettings(BaseModel):
    """MaxDet: the largest variance of a Gaussian process given all before, repeated."""

    model_config = MODEL

    kind: Literal["maxdet"] = "maxdet"
    fraction: Share = 1.0
    features: Likeness = "gradients"
    sigma: Noise = 0.01


class BaitSettings(BaseModel):
    """BAIT: what lowers the variance over the whole pool most, repeated."""

    model_config = MODEL

    kind: Literal["bait"] = "bait"
    fraction: Share = 1.0
    features: Likeness = "gradients"
    sigma: Noise = 0.01


class LcmdSettings(BaseModel):
    """Largest cluster maximum distance: the farthest candidate of the largest cluster, repeated.

    No uncertainty is asked for; the batch covers what the labelled points leave far away.
    """

    model_config = MODEL

    kind: Literal["lcmd"] = "lcmd"
    fraction: Share = 1.0
    features: Likeness = "gradients"


class LatentNoveltySettings(BaseModel):
    """Latent novelty: what is farthest from all labelled points inside the network, repeated."""

    model_config = MODEL

    kind: Literal["latent_novelty"] = "latent_novelty"
    fraction: Share = 1.0


FeatureSettings = (
    CoreSetSettings
    | KmeansPlusPlusSettings
    | MaxDetSettings
    | BaitSettings
    | LcmdSettings
    | LatentNoveltySettings
)


def feature_acquisition(settings: FeatureSettings) -> Acquisition:
    """Return the acquisition that these settings describe."""
    match settings:
        case CoreSetSettings():
            return partial(core_set, features=settings.features)
        case KmeansPlusPlusSettings():
            return partial(kmeans_plus_plus, features=settings.features)
        case MaxDetSettings():
            return partial(maxdet, features=settings.features, sigma=settings.sigma)
        case BaitSettings():
            return partial(bait, features=settings.features, sigma=settings.sigma)
        case LcmdSettings():
            return partial(lcmd, features=settings.features)
        case LatentNoveltySettings():
            return latent_novelty
        case _:
            assert_never(settings)
