"""What every acquisition and every query strategy promises, walked over all that ship."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from queue import Queue
from typing import Any

import numpy as np
import pytest
from pydantic import TypeAdapter
from strategy_examples import (
    Array,
    ClassifierExample,
    ClosedFormLearner,
    ExampleDriver,
    driver_with,
)

from pools.errors import CampaignError, UsageError
from pools.pick import Pick
from strategies.acquisition import Acquisition, Selection
from strategies.bait import bait
from strategies.core_set import core_set
from strategies.entropy import entropy
from strategies.hybrid import Hybrid
from strategies.kmeans_plus_plus import kmeans_plus_plus
from strategies.latent_novelty import latent_novelty
from strategies.latin_hypercube import latin_hypercube
from strategies.lcmd import lcmd
from strategies.maxdet import maxdet
from strategies.needed import Querying
from strategies.physics_residual import EvaluatedResidual, physics_residual
from strategies.plain_settings import uncertain_and_random
from strategies.query_by_committee import query_by_committee
from strategies.sbal import sbal
from strategies.settings import QuerySettings, build_query
from strategies.top_k import top_k
from strategies.uniform_random import uniform_random


@dataclass(frozen=True)
class Case:
    """One acquisition, what it makes use of, and what its answer tells."""

    acquisition: Acquisition
    uses_spread: bool = False
    uses_features: bool = False
    scores: bool = False
    draws: bool = False
    tells_chances: bool = False


def distance_from_one(rows: Array) -> Array:
    return np.asarray(np.abs(rows - 1).sum(1))


ACQUISITIONS = {
    "uniform_random": Case(uniform_random, draws=True, tells_chances=True),
    "latin_hypercube": Case(latin_hypercube, draws=True),
    "top_k": Case(top_k, uses_spread=True, scores=True),
    "sbal": Case(sbal, uses_spread=True, scores=True, draws=True, tells_chances=True),
    "sbal-flat": Case(
        partial(sbal, beta=0), uses_spread=True, scores=True, draws=True, tells_chances=True
    ),
    "sbal-sharp": Case(
        partial(sbal, beta=3), uses_spread=True, scores=True, draws=True, tells_chances=True
    ),
    "mix": Case(uncertain_and_random(0.6), uses_spread=True, scores=True, draws=True),
    "core_set": Case(core_set, uses_features=True),
    "kmeans_plus_plus": Case(kmeans_plus_plus, uses_features=True, draws=True),
    "maxdet": Case(maxdet, uses_features=True),
    "bait": Case(bait, uses_features=True),
    "lcmd": Case(lcmd, uses_features=True),
    "latent_novelty": Case(latent_novelty, uses_features=True, scores=True),
    "entropy": Case(entropy, scores=True),
    "information": Case(partial(entropy, measure="information"), scores=True),
    "query_by_committee": Case(query_by_committee, scores=True),
    "physics_residual": Case(
        partial(physics_residual, residual=distance_from_one),
        scores=True,
        draws=True,
        tells_chances=True,
    ),
    "evaluated-residual": Case(
        EvaluatedResidual(residual=distance_from_one, evaluated=8), draws=True, tells_chances=True
    ),
    "hybrid": Case(
        Hybrid(shortlist=4), uses_spread=True, uses_features=True, scores=True, draws=True
    ),
    "hybrid-batch": Case(
        Hybrid(shortlist=1), uses_spread=True, scores=True, draws=True, tells_chances=True
    ),
    "hybrid-pool": Case(
        Hybrid(shortlist=math.inf), uses_spread=True, uses_features=True, scores=True
    ),
}
QUERIES: dict[str, dict[str, Any]] = {
    **{kind: {} for kind in ("random", "sobol", "latin_hypercube", "top_k", "sbal", "mix")},
    **{kind: {} for kind in ("core_set", "kmeans_plus_plus", "maxdet", "bait", "lcmd")},
    **{kind: {} for kind in ("latent_novelty", "entropy", "query_by_committee", "hybrid")},
    "callable": {"function": "my_acquisitions:every_other"},
    "physics_residual": {"evaluated": 6},
}
USING_FEATURES = [name for name, case in ACQUISITIONS.items() if case.uses_features]
USING_SPREAD = [name for name, case in ACQUISITIONS.items() if case.uses_spread]

CANDIDATES = np.random.default_rng(1).random((50, 2))
LABELLED = np.random.default_rng(2).random((6, 2))
LEARNER = ClassifierExample()


def choose(case: Case, k: int, seed: int = 0, learner: ClosedFormLearner = LEARNER) -> Selection:
    rng = np.random.default_rng(seed)
    return case.acquisition(CANDIDATES, LABELLED, learner, k, rng)


@pytest.fixture(params=ACQUISITIONS)
def case(request: pytest.FixtureRequest) -> Case:
    return ACQUISITIONS[request.param]


@pytest.mark.parametrize("k", [0, 1, 7, 50])
def test_chooses_k_distinct_candidates(case: Case, k: int) -> None:
    chosen = choose(case, k).indices
    assert chosen.shape == (k,)
    assert len(set(chosen.tolist())) == k
    assert all(0 <= index < 50 for index in chosen)


def test_every_choice_has_its_score_chance_and_reason(case: Case) -> None:
    selection = choose(case, 7)
    assert len(selection.reasons) == 7
    assert (selection.scores is not None) == case.scores
    assert (selection.probabilities is not None) == case.tells_chances
    if selection.probabilities is not None:
        assert selection.probabilities.shape == (7,)
        assert ((selection.probabilities > 0) & (selection.probabilities <= 1)).all()


def test_same_seed_same_choice(case: Case) -> None:
    np.testing.assert_array_equal(choose(case, 7, seed=3).indices, choose(case, 7, seed=3).indices)


def test_another_seed_makes_another_choice_where_it_draws(case: Case) -> None:
    first, second = (choose(case, 7, seed=seed).indices.tolist() for seed in (3, 4))
    assert (first != second) == case.draws


def test_too_few_candidates_is_an_error_that_says_so(case: Case) -> None:
    with pytest.raises(
        UsageError, match="asked for 51 samples but 50 candidates are left; enlarge"
    ):
        choose(case, 51)


@pytest.mark.parametrize("name", USING_SPREAD)
@pytest.mark.parametrize("bad", [np.nan, np.inf, -1.0])
def test_scores_that_are_no_variances_are_an_error(name: str, bad: float) -> None:
    def variance(rows: Array) -> Array:
        return np.where(np.arange(len(rows)) == 4, bad, 1.0)

    with pytest.raises(CampaignError, match=f"{bad} at candidate 4"):
        choose(ACQUISITIONS[name], 3, learner=ClassifierExample(variance=variance))


@pytest.mark.parametrize("name", USING_SPREAD)
def test_a_learner_without_spread_is_an_error(name: str) -> None:
    learner = ClassifierExample(variance=lambda rows: np.zeros(len(rows)))
    with pytest.raises(UsageError, match=r"zero at all 50 candidates.*members to 2 or more"):
        choose(ACQUISITIONS[name], 3, learner=learner)


@pytest.mark.parametrize("name", USING_SPREAD)
def test_a_learner_without_variance_is_an_error(name: str) -> None:
    anything: Any = object()
    with pytest.raises(UsageError, match="needs a learner with predict and uncertainty"):
        choose(ACQUISITIONS[name], 3, learner=anything)


@pytest.mark.parametrize("name", USING_SPREAD)
def test_a_learner_with_fields_for_scores_is_an_error(name: str) -> None:
    learner = ClassifierExample(variance=lambda rows: rows)
    with pytest.raises(UsageError, match=r"shape \(50, 2\).*return one variance per candidate"):
        choose(ACQUISITIONS[name], 3, learner=learner)


@pytest.mark.parametrize("k", [0, 1, 6, 12])
def test_candidates_and_labelled_points_may_repeat(case: Case, k: int) -> None:
    repeated = np.repeat(CANDIDATES[:4], 3, axis=0)
    rng = np.random.default_rng(0)
    chosen = case.acquisition(repeated, repeated[:6], LEARNER, k, rng).indices
    assert len(set(chosen.tolist())) == k


@pytest.mark.parametrize("k", [1, 7, 50])
def test_nothing_need_be_labelled(case: Case, k: int) -> None:
    rng = np.random.default_rng(0)
    selection = case.acquisition(CANDIDATES, np.empty((0, 2)), LEARNER, k, rng)
    assert len(set(selection.indices.tolist())) == k
    assert len(selection.reasons) == k


@pytest.mark.parametrize("name", USING_FEATURES)
def test_features_that_are_not_finite_are_an_error(name: str) -> None:
    learner = replace(LEARNER, of=lambda rows: rows * np.nan)
    with pytest.raises(CampaignError, match=r"features are not finite at (\d+) of \1 .* diverged"):
        choose(ACQUISITIONS[name], 3, learner=learner)


@pytest.mark.parametrize("name", USING_FEATURES)
def test_a_learner_without_features_is_an_error(name: str) -> None:
    with pytest.raises(UsageError, match=r"needs a learner with features.* lacks; add the method"):
        choose(ACQUISITIONS[name], 3, learner=ClosedFormLearner())


Build = Callable[[int], Querying]


KINDS = [{"kind": kind, **options} for kind, options in QUERIES.items()]


@pytest.fixture(params=[*KINDS, {"kind": "sbal", "refine": True}], ids=str)
def build(request: pytest.FixtureRequest) -> Build:
    settings: QuerySettings = TypeAdapter(QuerySettings).validate_python(request.param)
    return partial(build_query, settings)


@pytest.fixture
def driver(tmp_path: Path) -> ExampleDriver:
    return driver_with(tmp_path)


def ask(strategy: Querying, driver: ExampleDriver) -> list[Pick]:
    channel: Queue[Pick] = Queue()
    strategy.attach(driver)
    strategy.sample(channel)
    return [channel.get() for _ in range(channel.qsize())]


def test_every_kind_of_query_settings_is_in_the_table() -> None:
    schema = TypeAdapter(QuerySettings).json_schema()
    users_own = {"strategy"}  # what it does is its author's; see test_documented_query.py
    assert set(schema["discriminator"]["mapping"]) - users_own == set(QUERIES)


def test_query_is_a_strategy_that_knows_whether_it_is_attached(
    build: Build, driver: ExampleDriver
) -> None:
    strategy = build(3)
    assert isinstance(strategy, Querying)
    assert strategy.max_samples == 3
    assert not strategy.is_attached
    with pytest.raises(UsageError, match=r"not attached; call attach\(driver\) first"):
        strategy.sample(Queue())
    strategy.attach(driver)
    assert strategy.is_attached


def test_query_puts_distinct_picks_with_its_name_and_a_reason(
    build: Build, driver: ExampleDriver
) -> None:
    strategy = build(5)
    picks = ask(strategy, driver)
    assert len({pick.sample.id for pick in picks}) == 5
    assert {pick.asked_by for pick in picks} == {strategy.__protocol_name__}
    assert all(pick.reason for pick in picks)
    assert all(set(pick.sample.parameters) == {"x", "y"} for pick in picks)


def test_query_never_asks_for_what_is_labelled_or_for_testing(
    build: Build, driver: ExampleDriver
) -> None:
    assert driver.test_pool is not None
    known = {*driver.training_pool.ids, *driver.test_pool.ids}
    picks = ask(build(13), driver)  # 20 candidates, 7 of them known
    assert known.isdisjoint(pick.sample.id for pick in picks)


def test_query_is_decided_by_the_generator(build: Build, driver: ExampleDriver) -> None:
    first, second = (
        ask(build(5), replace(driver, rng=np.random.default_rng(8))) for _ in range(2)
    )
    assert first == second


@pytest.mark.parametrize("kind", [kind for kind in QUERIES if kind != "sobol"])
def test_query_of_an_exhausted_pool_is_an_error(kind: str, driver: ExampleDriver) -> None:
    settings: QuerySettings = TypeAdapter(QuerySettings).validate_python(
        {"kind": kind, **QUERIES[kind]}
    )
    with pytest.raises(UsageError, match="asked for 14 samples but 13 candidates are left"):
        ask(build_query(settings, 14), driver)
