"""Which level is asked: by what it explains of the finest one's variance, and by its seconds."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import pytest
from numpy.typing import NDArray

from strategies.level_choice import choose_levels, explained_by_level
from strategies.level_settings import FineShareSettings, progress_of
from strategies.stopping import StoppingSettings
from surrogates.prediction import Prediction

Array = NDArray[np.float64]

POINTS = np.linspace(0, 1, 6)[:, None]
ANY = np.ones((2, 6), np.bool_)


@dataclass(frozen=True)
class Members:
    """A learner of many members: the cheaper level is like the finest where a point is large.

    At the finest level the members are standard normal; at the cheaper one they are that number
    times the point, and another one times the rest.
    """

    below: int = 0
    scale: float = 1.0

    def at(self, below: int) -> Self:
        return replace(self, below=below)

    def members(self, parameters: Array) -> Array:
        rng = np.random.default_rng(0)
        common, own = rng.normal(size=(2, 4000, len(parameters), 1))
        if self.below == 0:
            return np.asarray(common)
        part = parameters[None]  # (1, k, 1)
        return np.asarray(self.scale * (part * common + np.sqrt(1 - part**2) * own))

    def uncertainty(self, parameters: Array) -> Array:
        return np.ones(len(parameters))

    def predict(self, parameters: Array) -> Prediction:
        raise NotImplementedError


@pytest.mark.parametrize("scale", [1.0, 0.3, -4.0])
def test_what_a_level_explains_does_not_depend_on_its_scale(scale: float) -> None:
    explained = explained_by_level(Members(scale=scale), POINTS, 2)
    assert (explained[0] == 1).all()
    slope = POINTS[:, 0].mean()
    expected = np.clip(slope * (2 * POINTS[:, 0] - slope), 0, 1)
    np.testing.assert_allclose(explained[1], expected, atol=0.08)


def test_where_no_member_differs_a_cheaper_level_explains_nothing() -> None:
    assert (explained_by_level(Members(scale=0.0), POINTS, 2)[1] == 0).all()


def test_a_cheap_level_is_asked_where_it_is_like_the_finest() -> None:
    below = choose_levels(Members(), POINTS, [1.0, 0.25], 0.0, ANY).below
    assert below.tolist() == [0, 0, 0, 1, 1, 1]  # explained is above a quarter from 0.6 on


def test_a_dear_level_is_not_asked_instead_of_the_finest() -> None:
    assert not choose_levels(Members(), POINTS, [1.0, 0.9], 0.0, ANY).below.any()


@pytest.mark.parametrize(("share", "fine"), [(0.0, 3), (0.5, 3), (0.6, 4), (1.0, 6)])
def test_the_finest_level_gets_its_share_where_others_are_worth_least(
    share: float, fine: int
) -> None:
    below = choose_levels(Members(), POINTS, [1.0, 0.25], share, ANY).below
    assert below.tolist() == [0] * fine + [1] * (6 - fine)


def test_what_is_known_at_a_level_is_asked_of_another() -> None:
    allowed = ANY.copy()
    allowed[1, 5] = False
    below = choose_levels(Members(), POINTS, [1.0, 0.25], 0.0, allowed).below
    assert below.tolist() == [0, 0, 0, 1, 1, 0]


@pytest.mark.parametrize(
    ("stopping", "expected"),
    [
        ({"max_steps": 8}, 0.25),
        ({"max_steps": 8, "budget_samples": 40}, 0.5),
        ({"max_steps": 8, "budget_solver_seconds": 100}, 0.7),
        ({"max_steps": 1}, 1.0),
        ({"max_steps": 0}, 1.0),
    ],
)
def test_progress_is_by_what_ends_the_campaign_first(
    stopping: dict[str, float], expected: float
) -> None:
    settings = StoppingSettings.model_validate(stopping)
    assert progress_of(settings, 1, 20, 0.3) == pytest.approx(expected)


def test_the_last_step_has_the_share_of_the_end() -> None:
    assert FineShareSettings(start=0.2, end=0.9).at(1.0) == 0.9
    assert FineShareSettings().at(progress_of(StoppingSettings(max_steps=4), 3, 0, 0.0)) == 1
