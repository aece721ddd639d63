"""Query strategies that share a step, and a user's own among them."""

import logging
import queue
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError
from strategy_examples import SPACE, Array, ExampleDriver, driver_with

from pools.candidates import CandidatePool
from pools.errors import UsageError
from strategies.acquisition import Selection
from strategies.needed import AbstractQueue, CampaignScope, DataPool
from strategies.picking import run_queries
from strategies.plain_settings import RandomSettings, SbalSettings, TopKSettings
from strategies.query import AcquisitionQuery, SobolContinuation
from strategies.remaining import Remaining, without
from strategies.settings import (
    QuerySettings,
    SobolSettings,
    build_queries,
)
from strategies.shares import split
from strategies.top_k import top_k
from strategies.uniform_random import uniform_random


@pytest.fixture
def driver(tmp_path: Path) -> ExampleDriver:
    return driver_with(tmp_path)


@dataclass
class FirstOnes:
    """A user's strategy as the documentation shows it: plain samples of the driver's pool."""

    max_samples: int
    puts: int
    driver: Any = None
    __protocol_name__ = "first ones"

    def attach(self, driver: Any) -> None:
        self.driver = driver

    @property
    def is_attached(self) -> bool:
        return self.driver is not None

    def sample(self, query_queue: AbstractQueue[Any], *_args: Any, **_kwargs: Any) -> None:
        for index in range(self.puts):
            query_queue.put(self.driver.unlabeled_pool[index])


@dataclass
class Stubborn(FirstOnes):
    """Puts what it was given, whatever is in the pool."""

    items: list[Any] = field(default_factory=list)

    def sample(self, query_queue: AbstractQueue[Any], *_args: Any, **_kwargs: Any) -> None:
        for item in self.items:
            query_queue.put(item)


SHARES = st.lists(st.floats(0.01, 1), min_size=1, max_size=6)


@given(st.integers(0, 100), SHARES)
def test_split_sums_to_k(k: int, shares: list[float]) -> None:
    counts = split(k, shares)
    assert sum(counts) == k
    assert min(counts) >= 0


@given(st.integers(0, 300), st.floats(0.01, 1), st.floats(0.01, 1))
def test_split_between_two_stays_within_one_of_the_share(k: int, a: float, b: float) -> None:
    first, second = split(k, [a, b])
    assert abs(first - k * a / (a + b)) < 1 + 1e-6
    assert first + second == k


@given(st.lists(st.integers(0, 12), max_size=8), SHARES)
def test_steps_deal_out_what_one_step_would(steps: list[int], shares: list[float]) -> None:
    dealt = [split(k, shares, before=sum(steps[:i])) for i, k in enumerate(steps)]
    total = [sum(column) for column in zip(*dealt, strict=True)] or [0] * len(shares)
    assert total == split(sum(steps), shares)
    assert all(count >= 0 for counts in dealt for count in counts)


def test_a_share_too_small_for_every_step_has_its_turn() -> None:
    asked = [split(4, [0.9, 0.1], before=4 * step)[1] for step in range(10)]
    assert sum(asked) == 4
    assert max(asked) == 1


@pytest.mark.parametrize(
    ("k", "shares", "counts"),
    [
        (8, [0.9, 0.1], [7, 1]),
        (10, [0.9, 0.1], [9, 1]),
        (4, [0.9, 0.1], [4, 0]),
        (100, [0.29, 0.71], [29, 71]),
        (3, [1, 1], [2, 1]),
        (0, [1.0], [0]),
    ],
)
def test_split_by_hand(k: int, shares: list[float], counts: list[int]) -> None:
    assert split(k, shares) == counts


def test_queries_share_a_step() -> None:
    settings = (
        SbalSettings(fraction=0.9),
        SobolSettings(fraction=0.1),
        TopKSettings(fraction=0.01),
    )
    strategies = build_queries(settings, 8)
    assert [(s.__protocol_name__, s.max_samples) for s in strategies] == [
        ("sbal", 7),
        ("sobol", 1),
    ]


@pytest.mark.parametrize(
    "content",
    [
        {"kind": "psychic"},
        {"kind": "sbal", "beta": -1},
        {"kind": "random", "beta": 1},
        {"kind": "sobol", "fraction": 0},
    ],
)
def test_settings_are_checked_at_the_door(content: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter[QuerySettings](QuerySettings).validate_python(content)


def test_sobol_goes_on_where_the_design_stopped(driver: ExampleDriver) -> None:
    picks = run_queries([SobolContinuation(2), SobolContinuation(1)], driver)
    expected = SPACE.sobol(7, seed=5)[4:]
    np.testing.assert_array_equal([pick.sample.row(SPACE.names) for pick in picks], expected)
    assert picks[2].reason == "point 7 of the Sobol' sequence, whatever the learner says"


def test_strategies_never_pick_the_same_candidate(driver: ExampleDriver) -> None:
    settings = (TopKSettings(), SbalSettings(), RandomSettings(), SobolSettings())
    picks = run_queries(build_queries(settings, 16), driver)
    assert len({pick.sample.id for pick in picks}) == 16
    assert [pick.asked_by for pick in picks[::4]] == ["top_k", "sbal", "random", "sobol"]


def test_later_strategies_take_the_next_best(driver: ExampleDriver) -> None:
    both = run_queries([AcquisitionQuery(3, top_k, "a"), AcquisitionQuery(3, top_k, "b")], driver)
    one = run_queries([AcquisitionQuery(6, top_k, "c")], driver)
    assert [pick.sample.id for pick in both] == [pick.sample.id for pick in one]
    assert [pick.asked_by for pick in both] == ["a"] * 3 + ["b"] * 3


def test_a_users_samples_become_picks_without_repeats(driver: ExampleDriver) -> None:
    picks = run_queries([AcquisitionQuery(4, top_k, "top_k"), FirstOnes(3, 3)], driver)
    assert [pick.asked_by for pick in picks[4:]] == ["first ones"] * 3
    assert len({pick.sample.id for pick in picks}) == 7


def test_repeats_labelled_and_surplus_picks_are_dropped_aloud(
    driver: ExampleDriver, caplog: pytest.LogCaptureFixture
) -> None:
    pool = driver.unlabeled_pool
    labelled = pool[2]
    strategy = Stubborn(3, 0, items=[pool[0], pool[0], labelled, pool[1], pool[10], pool[11]])
    with caplog.at_level(logging.WARNING):
        picks = run_queries([strategy], driver)
    assert [pick.sample.id for pick in picks] == [pool[i].id for i in (0, 1, 10)]
    assert "query first ones: dropped 2 of 6 picks" in caplog.text
    assert "dropped the last 1 picks, beyond max_samples = 3" in caplog.text


def test_a_smaller_step_is_said(driver: ExampleDriver, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert len(run_queries([FirstOnes(5, 2)], driver)) == 2
    assert "picked 2 of the 5 samples that it may ask for; the step is smaller" in caplog.text


def test_nothing_is_said_of_a_full_step(
    driver: ExampleDriver, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        run_queries([AcquisitionQuery(5, uniform_random, "random"), SobolContinuation(2)], driver)
    assert not caplog.records


def test_what_is_no_sample_is_an_error(driver: ExampleDriver) -> None:
    with pytest.raises(UsageError, match="'first ones' put dict on the query queue; put samples"):
        run_queries([Stubborn(1, 0, items=[{"x": 1.0}])], driver)


def test_a_users_acquisition_is_a_function(driver: ExampleDriver) -> None:
    def last(
        candidates: Array, _labelled: Array, _learner: object, k: int, _rng: np.random.Generator
    ) -> Selection:
        return Selection(np.arange(len(candidates))[-k:])

    picks = run_queries([AcquisitionQuery(2, last, "last")], driver)
    assert [pick.sample for pick in picks] == [driver.unlabeled_pool[i] for i in (18, 19)]
    assert (picks[0].score, picks[0].probability, picks[0].reason) == (None, None, "")


def test_scores_and_chances_are_those_of_the_sample(driver: ExampleDriver) -> None:
    for pick in run_queries([AcquisitionQuery(13, uniform_random, "random")], driver):
        assert pick.probability == 1
    for pick in run_queries([AcquisitionQuery(5, top_k, "top_k")], driver):
        assert pick.score == pick.sample.parameters["x"] + 0.1


def test_what_remains_is_otherwise_the_driver(driver: ExampleDriver) -> None:
    typed: CampaignScope = driver
    seen = Remaining(typed, (), queue.Queue())
    assert (seen.run_id, seen.learner, seen.log_dir) == ("example", driver.learner, driver.log_dir)
    assert len(seen.unlabeled_pool) == 13
    assert isinstance(seen.unlabeled_pool, DataPool)
    with pytest.raises(AttributeError):
        _ = seen.nonsense


def test_points_are_told_apart_to_the_bit() -> None:
    pool = CandidatePool(np.array([[0.0, 1.0], [-0.0, 2.0], [3.0, 4.0]]), ("x", "y"), "s")
    gone = np.array([[-0.0, 1.0], [0.0, 2.0], [3.0, np.nextafter(4.0, 5.0)]])
    np.testing.assert_array_equal(without(pool, gone).parameters, [[3.0, 4.0]])
