"""Settings of the query strategies that ask every member of the learner."""

from functools import partial
from typing import Literal, assert_never

from pydantic import BaseModel

from strategies.acquisition import Acquisition
from strategies.entropy import EntropyMeasure, entropy
from strategies.plain_settings import MODEL, Share
from strategies.query_by_committee import query_by_committee


class EntropySettings(BaseModel):
    """Entropy: what a classifier is least sure of."""

    model_config = MODEL

    kind: Literal["entropy"] = "entropy"
    fraction: Share = 1.0
    measure: EntropyMeasure = "predictive"
    """Entropy of the members' mean, or the information that an answer gives of the members, which
    leaves out the noise that all of them expect."""


class QueryByCommitteeSettings(BaseModel):
    """Query by committee: what the members disagree on most."""

    model_config = MODEL

    kind: Literal["query_by_committee"] = "query_by_committee"
    fraction: Share = 1.0


CommitteeSettings = EntropySettings | QueryByCommitteeSettings


def committee_acquisition(settings: CommitteeSettings) -> Acquisition:
    """Return the acquisition that these settings describe."""
    match settings:
        case EntropySettings():
            return partial(entropy, measure=settings.measure)
        case QueryByCommitteeSettings():
            return query_by_committee
        case _:
            assert_never(settings)
