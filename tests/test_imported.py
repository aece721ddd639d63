"""A user's acquisition by import path, and what is said where it cannot be one."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from campaign_examples import WAVE
from strategy_examples import FeaturedExample, driver_with

from phases.config import parse
from phases.preflight import check_queries
from pools.errors import UsageError
from strategies.imported import imported
from strategies.picking import run_queries
from strategies.settings import CallableSettings, build_query


@pytest.mark.parametrize("path", ["my_acquisitions:every_other", "my_acquisitions.every_other"])
def test_a_function_is_found_by_its_path(path: str) -> None:
    selection = imported(path, {"stride": 2})(
        np.ones((9, 2)), np.ones((1, 2)), FeaturedExample(), 3, np.random.default_rng(0)
    )
    assert selection.indices.tolist() == [0, 2, 4]


@pytest.mark.parametrize(
    ("path", "arguments", "message"),
    [
        ("no_such_module:f", {}, "cannot be imported: ModuleNotFoundError.*PYTHONPATH"),
        ("my_acquisitions:gone", {}, "has no 'gone'; it has .*every_other"),
        ("my_acquisitions:number", {}, "is a int, which cannot be called; name a function"),
        ("my_acquisitions:two_arguments", {}, "takes .*must be .candidates, labelled, learner"),
        ("my_acquisitions:every_other", {"step": 2}, "step=....: got an unexpected keyword"),
    ],
)
def test_what_is_no_acquisition_is_an_error(
    path: str, arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError, match=f"'{path}'.*{message}"):
        imported(path, arguments)


def test_its_answer_is_checked(tmp_path: Path) -> None:
    query = build_query(CallableSettings(function="my_acquisitions:repeating"), 3)
    with pytest.raises(UsageError, match="'my_acquisitions:repeating' chose 1 distinct"):
        run_queries([query], driver_with(tmp_path))


def test_its_picks_are_recorded_under_its_path(tmp_path: Path) -> None:
    settings = CallableSettings(function="my_acquisitions:every_other", arguments={"stride": 2})
    picks = run_queries([build_query(settings, 3)], replace(driver_with(tmp_path)))
    assert {pick.asked_by for pick in picks} == {"my_acquisitions:every_other"}


def test_a_campaign_is_refused_before_it_starts() -> None:
    content = {**WAVE, "query": [{"kind": "callable", "function": "my_acquisitions:gone"}]}
    with pytest.raises(UsageError, match="has no 'gone'"):
        check_queries(parse(content, "mine.yaml"))
