"""Maps of where the solver fails and what it takes: pure functions on plain data."""

import numpy as np
import pytest
from numpy.typing import NDArray

from pools.outcome import Outcome
from pools.space import Parameter, ParameterSpace
from reports.canvas import png
from reports.failure_map import (
    MOST_PARAMETERS,
    Tried,
    draw_cost_map,
    draw_failure_map,
    mean_over_others,
)
from reports.relevance import most_relevant, total_effects

Array = NDArray[np.float64]


def space(d: int) -> ParameterSpace:
    first = {"reynolds": Parameter(low=5, high=150, scale="log")}
    others = {f"x{i}": Parameter(low=0, high=1, unit="m") for i in range(1, d)}
    return ParameterSpace({**first, **others})


def tried(d: int, n: int = 12) -> Tried:
    ended = [Outcome.OK, Outcome.OK, Outcome.DIVERGED, Outcome.TIMEOUT] * (n // 4)
    return Tried(space(d).sobol(n, seed=1), ended, np.geomspace(1, 10, n))


def chances(rows: Array) -> Array:
    values: Array = 1 / (1 + np.exp((rows[:, 0] - 60) / 10))
    return values


def test_effects_of_a_sum_are_its_terms_variances() -> None:
    effects = total_effects(space(3), lambda rows: rows[:, 1] + 3 * rows[:, 2])
    assert effects == pytest.approx([0, 1 / 12, 9 / 12], rel=0.03, abs=1e-12)


def test_parameters_that_matter_are_taken_in_the_spaces_order() -> None:
    found = most_relevant(space(5), lambda rows: rows[:, 4] + 2 * rows[:, 1] + 0.1 * rows[:, 2], 3)
    assert found == [1, 2, 4]


def test_a_map_is_the_mean_over_the_parameters_that_it_does_not_show() -> None:
    (along,), means = mean_over_others(space(3), lambda rows: rows[:, 1] + rows[:, 2], [1])
    np.testing.assert_allclose(means, along + 0.5, atol=0.03)
    (x, y), square = mean_over_others(space(2), lambda rows: rows[:, 0] + rows[:, 1], [0, 1])
    np.testing.assert_allclose(square, x[:, np.newaxis] + y)
    assert (x[0], x[-1]) == pytest.approx((5, 150))


@pytest.mark.parametrize(("d", "panels"), [(1, 1), (2, 1), (3, 3), (6, 6)])
def test_maps_are_drawn_over_pairs_of_a_few_parameters(d: int, panels: int) -> None:
    assert MOST_PARAMETERS == 4
    for figure in (
        draw_failure_map(space(d), chances, tried(d)),
        draw_cost_map(space(d), lambda rows: rows[:, 0] / 15, tried(d)),
    ):
        assert sum(axes.get_visible() for axes in figure.axes) == panels + (d > 1)  # a colour bar
        assert png(figure).startswith(b"\x89PNG")


def test_samples_are_marked_by_how_they_ended() -> None:
    figure = draw_failure_map(space(2), chances, tried(2))
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["solved", "diverged", "timeout"]
    marks = {each.get_label(): len(each.get_offsets()) for each in figure.axes[0].collections[1:]}
    assert marks == {"solved": 6, "diverged": 3, "timeout": 3}


def test_a_map_has_the_scales_of_its_parameters() -> None:
    axes = draw_failure_map(space(2), chances, tried(2)).axes[0]
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "linear")
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("reynolds", "x1 [m]")


def test_the_spread_of_seconds_is_that_of_the_quick_and_the_slow() -> None:
    assert tried(2, 200).spread == pytest.approx(10**0.9, rel=0.01)
    assert Tried(np.empty((0, 2)), [], np.empty(0)).spread == 1


def test_models_learn_from_the_same_samples() -> None:
    found = tried(2).outcomes
    assert (len(found), found.failures) == (12, 6)
