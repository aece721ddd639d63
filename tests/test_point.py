"""Design points as people read and write them."""

import pytest
from campaign_examples import WAVE

from phases.config import CampaignConfig, parse
from phases.point import in_words, value_of, word_of
from pools.errors import UsageError

SOLVER = {
    "kind": "openfoam",
    "template": "case",
    "choices": {"scheme": {1: "upwind", 2: "linear"}},
    "quantities": {"drag": {"kind": "coefficient", "function": "forces", "column": "Cd"}},
}
PARAMETERS = {
    "reynolds": {"low": 100, "high": 400},
    "scheme": {"type": "categorical", "values": [1, 2]},
}


@pytest.fixture(scope="module")
def config() -> CampaignConfig:
    return parse({**WAVE, "solver": SOLVER, "parameters": PARAMETERS}, "wave.yaml")


def test_a_choice_is_read_as_its_word_and_written_as_either(config: CampaignConfig) -> None:
    assert in_words(config, {"reynolds": 123.456, "scheme": 2.0}) == (
        "reynolds 123.5, scheme linear"
    )
    assert value_of(config, "scheme", "upwind") == value_of(config, "scheme", "1") == 1
    assert value_of(config, "reynolds", "1e2") == 100
    assert in_words(config, {"scheme": 3}) == "scheme 3"  # for which there is no word
    assert (word_of(config, "scheme", 1), word_of(config, "reynolds", 1)) == ("upwind", None)


def test_what_is_no_value_is_refused_with_the_words(config: CampaignConfig) -> None:
    with pytest.raises(UsageError, match=r"reynolds is 'upwind'; it takes a number$"):
        value_of(config, "reynolds", "upwind")
    with pytest.raises(UsageError, match=r"a number, or one of upwind, linear$"):
        value_of(config, "scheme", "Upwind")


def test_a_solver_without_choices_has_numbers_only() -> None:
    config = parse(WAVE, "wave.yaml")
    assert in_words(config, {"length": 0.25, "phase": 1.0}) == "length 0.25, phase 1"
