"""Entropy, committees, residuals, mixtures and Latin hypercubes, against small cases by hand."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from strategy_examples import Array, ClassifierExample, ClosedFormLearner, FeaturedExample

from pools.errors import CampaignError, UsageError
from strategies.acquisition import Acquisition, Selection
from strategies.entropy import entropy, mutual_information, predictive_entropy
from strategies.latin_hypercube import latin_hypercube
from strategies.lcmd import lcmd
from strategies.mix import Mix, Part
from strategies.physics_residual import physics_residual
from strategies.plain_settings import uncertain_and_random
from strategies.query_by_committee import disagreement, query_by_committee, vote_entropy
from strategies.sbal import sbal
from strategies.top_k import top_k
from strategies.uniform_random import uniform_random

POINTS = np.random.default_rng(0).random((50, 3))
NOTHING = np.empty((0, 3))
SURE = np.array([[[1.0, 0.0]], [[1.0, 0.0]]])  # two members, one point, two classes
NOISY = np.array([[[0.5, 0.5]], [[0.5, 0.5]]])
TORN = np.array([[[1.0, 0.0]], [[0.0, 1.0]]])


def generator(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.mark.parametrize(
    ("answers", "predictive", "information", "votes"),
    [(SURE, 0, 0, 0), (NOISY, math.log(2), 0, 0), (TORN, math.log(2), math.log(2), math.log(2))],
)
def test_noise_is_entropy_but_no_disagreement(
    answers: Array, predictive: float, information: float, votes: float
) -> None:
    assert predictive_entropy(answers) == pytest.approx(predictive)
    assert mutual_information(answers) == pytest.approx(information)
    assert vote_entropy(answers) == pytest.approx(votes)


def test_entropy_asks_between_the_classes() -> None:
    selection = entropy(POINTS, NOTHING, ClassifierExample(), 5, generator())
    nearest = np.argsort(np.abs(POINTS[:, 0] - 0.5))[:5]
    assert selection.indices.tolist() == nearest.tolist()
    assert "entropy" in selection.reasons[0]
    assert "rank 1 of 50" in selection.reasons[0]


def test_disagreement_is_the_variance_of_the_members() -> None:
    outputs = np.array([[[1.0, 0.0]], [[3.0, 0.0]]])
    assert disagreement(outputs) == pytest.approx(1.0)  # of 2 and 0


def test_a_classifier_is_asked_for_votes_and_others_for_outputs() -> None:
    voting = query_by_committee(POINTS, NOTHING, ClassifierExample(), 3, generator())
    differing = query_by_committee(POINTS, NOTHING, FeaturedExample(), 3, generator())
    assert voting.reasons[0].startswith("vote entropy")
    assert differing.reasons[0].startswith("disagreement")


@pytest.mark.parametrize(
    ("acquisition", "learner", "message"),
    [
        (entropy, FeaturedExample(), "'entropy' needs a classifier .*sbal, hybrid or lcmd"),
        (query_by_committee, ClosedFormLearner(), "needs a learner with members.*add the method"),
        (
            query_by_committee,
            FeaturedExample(outputs=lambda rows: rows[np.newaxis]),
            "compares members, but the learner has 1; set members to 2 or more",
        ),
        (
            query_by_committee,
            FeaturedExample(outputs=lambda rows: rows),
            r"answers of shape \(50, 3\) for 50 points; return one array of shape \(members",
        ),
    ],
)
def test_a_learner_that_lacks_what_is_asked_is_an_error(
    acquisition: Acquisition, learner: ClosedFormLearner, message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        acquisition(POINTS, NOTHING, learner, 3, generator())


def test_information_of_a_single_member_is_an_error() -> None:
    single = ClassifierExample(classes=lambda rows: np.full((1, len(rows), 2), 0.5))
    with pytest.raises(UsageError, match="'entropy' compares members, but the learner has 1"):
        entropy(POINTS, NOTHING, single, 3, generator(), measure="information")


@pytest.mark.parametrize(
    ("answer", "message"),
    [(0.7, "sum to 1.4"), (np.nan, "members are not finite at 50 of 50 points, first at 0")],
)
def test_what_are_no_probabilities_is_an_error(answer: float, message: str) -> None:
    learner = ClassifierExample(classes=lambda rows: np.full((2, len(rows), 2), answer))
    with pytest.raises(CampaignError, match=message):
        entropy(POINTS, NOTHING, learner, 3, generator())


def residual(rows: Array) -> Array:
    return np.asarray(rows[:, 0] + 0.1)


@pytest.mark.parametrize("seed", range(4))
def test_the_residual_is_drawn_as_sbal_draws_the_variance(seed: int) -> None:
    ours = physics_residual(
        POINTS, NOTHING, FeaturedExample(), 6, generator(seed), residual=residual
    )
    peer = sbal(POINTS, NOTHING, FeaturedExample(variance=residual), 6, generator(seed))
    np.testing.assert_array_equal(ours.indices, peer.indices)
    assert ours.reasons[0].startswith("residual")


def test_an_infinite_exponent_takes_the_largest_residuals() -> None:
    selection = physics_residual(
        POINTS, NOTHING, FeaturedExample(), 6, generator(), residual=residual, beta=math.inf
    )
    assert selection.indices.tolist() == np.argsort(-POINTS[:, 0])[:6].tolist()
    assert selection.probabilities is None


@pytest.mark.parametrize("bad", [np.nan, -1.0])
def test_a_residual_that_cannot_be_ranked_is_an_error(bad: float) -> None:
    with pytest.raises(CampaignError, match=f"the residual is {bad} at candidate 0"):
        physics_residual(
            POINTS,
            NOTHING,
            FeaturedExample(),
            6,
            generator(),
            residual=lambda rows: np.full(len(rows), bad),
        )


def test_a_mix_splits_the_batch_by_its_shares() -> None:
    selection = uncertain_and_random(0.6)(POINTS, NOTHING, FeaturedExample(), 10, generator())
    expected = top_k(POINTS, NOTHING, FeaturedExample(), 6, generator()).indices
    np.testing.assert_array_equal(selection.indices[:6], expected)
    told = [reason.partition(":")[0] for reason in selection.reasons]
    assert told == ["top_k"] * 6 + ["random"] * 4


def test_a_mix_of_random_and_random_tells_its_chances() -> None:
    parts = {"one": Part(uniform_random, 1), "two": Part(uniform_random, 1)}
    selection = Mix(parts)(POINTS, NOTHING, FeaturedExample(), 10, generator())
    assert selection.probabilities is not None
    np.testing.assert_allclose(selection.probabilities, [5 / 50] * 5 + [5 / 45] * 5)


def test_later_parts_of_a_mix_take_what_was_chosen_as_labelled() -> None:
    line = np.arange(10.0)[:, np.newaxis]
    parts = {"largest": Part(top_k, 1), "far": Part(lcmd, 1)}
    selection = Mix(parts)(line, line[:0], FeaturedExample(), 2, generator())
    assert selection.indices.tolist() == [9, 0]


@pytest.mark.parametrize("shares", [[], [0.0], [1.0, -1.0]])
def test_a_mix_without_shares_is_an_error(shares: list[float]) -> None:
    with pytest.raises(UsageError, match="give at least one part, and each a share above zero"):
        Mix({str(i): Part(top_k, share) for i, share in enumerate(shares)})


@dataclass(frozen=True)
class Twice:
    """Chooses the first candidate again and again."""

    def __call__(
        self, _c: Array, _l: Array, _learner: object, k: int, _rng: np.random.Generator
    ) -> Selection:
        return Selection(np.zeros(k, np.intp))


def test_a_part_that_breaks_its_promise_is_named() -> None:
    mix = Mix({"top_k": Part(top_k, 1), "twice": Part(Twice(), 1)})
    with pytest.raises(UsageError, match="'twice' chose 1 distinct candidates"):
        mix(POINTS, NOTHING, FeaturedExample(), 6, generator())


@pytest.mark.parametrize("scale", [lambda x: x, np.exp, lambda x: 1e6 * x - 3])
def test_a_latin_hypercube_spreads_every_parameter(scale: Callable[[Array], Array]) -> None:
    points = np.random.default_rng(3).random((4000, 3))
    chosen = latin_hypercube(scale(points), NOTHING, FeaturedExample(), 8, generator()).indices
    strata = np.sort(np.floor(8 * points[chosen]), axis=0)
    misplaced = np.abs(strata - np.arange(8)[:, np.newaxis]) > 1
    assert not misplaced.any()
    assert np.unique(strata[:, 0]).size >= 6
