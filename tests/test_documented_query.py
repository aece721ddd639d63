"""A query strategy of the documented API in a campaign."""

import json
import logging
from pathlib import Path
from typing import Any

import pytest
from campaign_examples import WAVE
from plain_campaigns import run, start
from strategy_examples import driver_with

from phases.config import parse
from phases.preflight import check_queries
from pools.errors import UsageError
from strategies.documented_query import documented_query
from strategies.picking import run_queries
from strategies.settings import StrategySettings, build_query


@pytest.mark.parametrize("path", ["my_strategies:Last", "my_strategies.Last"])
def test_a_class_is_found_by_its_path_and_told_how_many(tmp_path: Path, path: str) -> None:
    driver = driver_with(tmp_path)
    picks = run_queries([documented_query(path, {"stride": 2}, 3)], driver)
    pool = driver.unlabeled_pool
    assert [pick.sample for pick in picks] == [pool[len(pool) - 1 - 2 * i] for i in range(3)]
    assert {pick.asked_by for pick in picks} == {"Last"}


def test_a_size_of_its_own_gives_way_to_its_share(tmp_path: Path) -> None:
    query = documented_query("my_strategies:Sized", {}, 2)
    assert query.strategy.max_samples == 2
    assert len(run_queries([query], driver_with(tmp_path))) == 2


def test_a_size_among_its_arguments_is_kept(tmp_path: Path) -> None:
    picks = run_queries(
        [documented_query("my_strategies:Last", {"max_samples": 1}, 3)], driver_with(tmp_path)
    )
    assert len(picks) == 1


def test_a_subclass_of_the_protocol_has_its_queue_and_its_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = StrategySettings(strategy="my_strategies:Uncertain")
    with caplog.at_level(logging.INFO, "solverloop"):
        picks = run_queries([build_query(settings, 2)], driver_with(tmp_path))
    assert len(picks) == 2
    assert "asked for 2" in caplog.messages


def test_a_campaign_runs_on_it(tmp_path: Path) -> None:
    query = [{"kind": "strategy", "strategy": "my_strategies:Uncertain"}]
    campaign = start(tmp_path / "wave", query=query, stopping={"max_steps": 1})
    run(campaign)
    picks = json.loads((campaign.step_directory(0) / "selection.json").read_text())
    assert [pick["asked_by"] for pick in picks] == ["Uncertain"] * 4


@pytest.mark.parametrize(
    ("path", "arguments", "message"),
    [
        ("no_such_module:Q", {}, "the query strategy .* cannot be imported: ModuleNotFoundError"),
        ("my_strategies:Gone", {}, "has no 'Gone'; it has .*Uncertain"),
        ("my_strategies:not_a_class", {}, "is a int; name a class"),
        ("my_strategies:Mute", {}, "lacks `sample`: a query strategy has"),
        ("my_acquisitions:every_other_of", {}, "name it by `kind: callable` and "),
        ("my_strategies:Last", {"step": 2}, "cannot be made with .*it takes .*stride"),
    ],
)
def test_what_is_none_is_refused_with_the_way_out(
    path: str, arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        documented_query(path, arguments, 2)


def test_a_campaign_that_names_none_is_refused_before_it_runs() -> None:
    content = {**WAVE, "query": [{"kind": "strategy", "strategy": "my_strategies:Mute"}]}
    with pytest.raises(UsageError, match="lacks `sample`"):
        check_queries(parse(content, "test"))
