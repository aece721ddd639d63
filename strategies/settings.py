"""The settings of the query strategies, as a campaign file gives them."""

from collections.abc import Sequence
from functools import partial
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from strategies.acquisition import Acquisition
from strategies.committee_settings import (
    CommitteeSettings,
    EntropySettings,
    QueryByCommitteeSettings,
    committee_acquisition,
)
from strategies.documented_query import documented_query
from strategies.feature_settings import (
    BaitSettings,
    CoreSetSettings,
    FeatureSettings,
    KmeansPlusPlusSettings,
    LatentNoveltySettings,
    LcmdSettings,
    MaxDetSettings,
    feature_acquisition,
)
from strategies.hybrid_settings import HybridSettings, hybrid_at
from strategies.import_path import ImportPath
from strategies.imported import imported
from strategies.needed import Querying
from strategies.plain_settings import (
    MODEL,
    LatinHypercubeSettings,
    MixSettings,
    PlainSettings,
    RandomSettings,
    SbalSettings,
    Share,
    TopKSettings,
    plain_acquisition,
)
from strategies.query import AcquisitionQuery, SobolContinuation
from strategies.refined_query import RefinedQuery
from strategies.residual_settings import PhysicsResidualSettings, residual_at
from strategies.shares import split
from strategies.stepwise import StepwiseQuery


class SobolSettings(BaseModel):
    """The Sobol' sequence of the initial design goes on, whatever the learner says."""

    model_config = MODEL

    kind: Literal["sobol"] = "sobol"
    fraction: Share = 1.0


class CallableSettings(BaseModel):
    """A user's own acquisition: any function (candidates, labelled, learner, k, rng)."""

    model_config = MODEL

    kind: Literal["callable"] = "callable"
    fraction: Share = 1.0
    function: ImportPath
    """Where it is, as `package.module:name`; it must be importable where the campaign runs. It is
    code: name only what you trust."""
    arguments: dict[str, bool | int | float | str] = {}
    """Further keyword arguments for it."""


class StrategySettings(BaseModel):
    """A user's own query strategy: any class with `sample(query_queue)`, as documented."""

    model_config = MODEL

    kind: Literal["strategy"] = "strategy"
    fraction: Share = 1.0
    strategy: ImportPath
    """Where its class is, as `package.module:name`; it must be importable where the campaign runs.
    It is code: name only what you trust."""
    arguments: dict[str, bool | int | float | str] = {}
    """What the class is made with. Its `max_samples` is its share of `samples_per_step`, unless
    it is among them."""


QuerySettings = Annotated[
    RandomSettings
    | SobolSettings
    | LatinHypercubeSettings
    | TopKSettings
    | SbalSettings
    | MixSettings
    | CoreSetSettings
    | KmeansPlusPlusSettings
    | MaxDetSettings
    | BaitSettings
    | LcmdSettings
    | LatentNoveltySettings
    | EntropySettings
    | QueryByCommitteeSettings
    | HybridSettings
    | PhysicsResidualSettings
    | CallableSettings
    | StrategySettings,
    Field(discriminator="kind"),
]
"""The settings of any query strategy; `kind` says which."""


def needs_several_members(settings: QuerySettings) -> bool:
    """Say whether the strategy can do nothing with a surrogate of one member."""
    match settings:
        case HybridSettings():
            return settings.beta != 0 or settings.features == "ensemble" or settings.refine
        case TopKSettings() | SbalSettings() | MixSettings() | QueryByCommitteeSettings():
            return True
        case EntropySettings():
            return settings.measure == "information"
        case CoreSetSettings() | KmeansPlusPlusSettings() | LcmdSettings():
            return settings.features == "ensemble"
        case MaxDetSettings() | BaitSettings():
            return settings.features == "ensemble"
        case _:
            return False


def build_query(settings: QuerySettings, k: int) -> Querying:
    """Return the query strategy that these settings describe, to ask for `k` samples a step.

    Raises:
        UsageError: they name code that cannot be imported, or is not what they say.
    """
    query = _choosing(settings, k)
    match settings:
        case TopKSettings() | SbalSettings() | HybridSettings():
            return RefinedQuery(query) if settings.refine else query
        case _:
            return query


def _choosing(settings: QuerySettings, k: int) -> Querying:
    """Return who chooses among the candidates, or goes on with the sequence."""
    match settings:
        case SobolSettings():
            return SobolContinuation(k)
        case HybridSettings():
            return StepwiseQuery(k, partial(hybrid_at, settings), settings.kind)
        case PhysicsResidualSettings():
            return StepwiseQuery(k, partial(residual_at, settings), settings.kind)
        case CallableSettings():
            function = imported(settings.function, settings.arguments)
            return AcquisitionQuery(k, function, settings.function)
        case StrategySettings():
            return documented_query(settings.strategy, settings.arguments, k)
        case _:
            return AcquisitionQuery(k, _acquisition(settings), settings.kind)


def _acquisition(
    settings: PlainSettings | FeatureSettings | CommitteeSettings,
) -> Acquisition:
    if isinstance(settings, CommitteeSettings):
        return committee_acquisition(settings)
    if isinstance(settings, FeatureSettings):
        return feature_acquisition(settings)
    return plain_acquisition(settings)


def build_queries(settings: Sequence[QuerySettings], k: int, *, before: int = 0) -> list[Querying]:
    """Return the strategies that share `k` samples of a step, but those without a sample.

    Args:
        settings: of each strategy.
        k: samples of this step.
        before: samples of the steps before it, so that small shares get theirs in time.
    """
    counts = split(k, [each.fraction for each in settings], before=before)
    pairs = zip(settings, counts, strict=True)
    return [build_query(each, count) for each, count in pairs if count > 0]
