"""Each statistic of the comparison of strategies, on numbers whose answer is known."""

from collections.abc import Callable

import numpy as np
import pytest

from benchmarks.comparison import Comparison
from benchmarks.curves import Curve, Point
from benchmarks.efficiency_rows import overall, rows_of
from benchmarks.scores import (
    Interval,
    Trace,
    alc,
    band,
    der,
    der_at_the_end,
    over_problems,
    over_seeds,
    spent_to_reach,
    typical,
)
from benchmarks.significance import holm, signed_rank

LABELLED = np.array([10.0, 20.0, 40.0])


def trace(*errors: float) -> Trace:
    return Trace(LABELLED, np.array(errors))


def falling(factor: float) -> Trace:
    return Trace(LABELLED, factor / LABELLED)


def test_alc_is_the_mean_log_ratio_after_the_shared_start() -> None:
    baseline = np.array([[1.0, 0.5, 0.25], [1.0, 0.5, 0.25]])
    errors = baseline * np.array([[1.0, 0.5, 0.5], [1.0, 1.0, 1.0]])
    assert alc(errors, baseline) == pytest.approx([np.log(0.5), 0.0])


def test_labels_are_interpolated_on_logarithms() -> None:
    assert spent_to_reach(falling(1), 1 / 30) == pytest.approx(30)
    assert spent_to_reach(falling(1), 1.0) == 10


def test_no_curve_is_extrapolated() -> None:
    with pytest.raises(ValueError, match="never reaches"):
        spent_to_reach(falling(1), 0.9 / 40)


@pytest.mark.parametrize("ratio", [der, der_at_the_end])
def test_half_the_labels_give_a_ratio_of_two_and_twice_the_error_its_reciprocal(
    ratio: Callable[[Trace, Trace], float],
) -> None:
    assert ratio(falling(0.5), falling(1)) == pytest.approx(2)
    assert ratio(falling(2), falling(1)) == pytest.approx(0.5)


def test_the_ratio_stays_within_what_was_run() -> None:
    assert der(falling(1e-6), falling(1)) == pytest.approx(4)
    assert der(falling(1), falling(1e-6)) == pytest.approx(1 / 4)


def test_the_rules_differ_where_the_baseline_was_once_better() -> None:
    risen = trace(0.4, 0.1, 0.2)
    assert der(risen, risen) == 1
    assert der_at_the_end(risen, risen) == pytest.approx(40 / (10 * 2**0.5))


def test_what_costs_twice_as_much_a_label_halves_the_ratio_of_costs() -> None:
    dear = Trace(2 * LABELLED, 1 / LABELLED)
    assert der(dear, falling(1)) == pytest.approx(0.5)


def test_the_interval_is_deterministic_and_holds_the_value() -> None:
    values = np.random.default_rng(1).normal(size=8)
    first, second = (over_seeds(8, lambda chosen: float(values[chosen].mean())) for _ in "ab")
    assert first == second
    assert first.low < first.value < first.high


def test_the_interval_of_a_mean_is_as_wide_as_the_central_limit_says() -> None:
    values = np.random.default_rng(2).normal(size=400)
    interval = over_seeds(400, lambda chosen: float(values[chosen].mean()))
    assert interval.high - interval.low == pytest.approx(2 * 1.96 * values.std() / 20, rel=0.1)


def test_one_seed_gives_no_interval() -> None:
    interval = over_seeds(1, lambda chosen: float(len(chosen)))
    assert interval.value == 1
    assert np.isnan([interval.low, interval.high]).all()


def test_typical_is_the_geometric_mean_over_seeds() -> None:
    assert typical(np.array([[1.0, 4.0], [4.0, 16.0]])) == pytest.approx([2, 8])


def test_a_band_holds_the_whole_curve_between_its_seeds() -> None:
    middle, low, high = band(np.array([[1.0, 4.0], [4.0, 16.0]]))
    assert middle == pytest.approx([2, 8])
    assert low == pytest.approx([1, 4])  # both draws the first seed, in a quarter of the resamples
    assert high == pytest.approx([4, 16])


def test_a_mean_over_problems_is_geometric_and_its_interval_narrower() -> None:
    draws = np.exp(np.random.default_rng(3).normal(size=1000))
    one = Interval.of(2.0, 2 * draws)
    two = over_problems([one, Interval.of(8.0, 8 * draws)])
    assert two.value == pytest.approx(4)
    assert np.log(two.high / two.low) == pytest.approx(
        np.log(one.high / one.low) / 2**0.5, rel=0.1
    )


def test_a_mean_over_problems_with_one_seed_has_no_interval() -> None:
    found = over_problems([Interval.of(3.0, np.empty(0)), Interval.of(3.0, np.ones(4))])
    assert found.value == pytest.approx(3)
    assert np.isnan(found.low)


def test_signed_ranks_of_one_sign_have_the_smallest_p() -> None:
    assert signed_rank(-np.arange(1.0, 7.0)) == pytest.approx(2 / 2**6)


def test_signed_ranks_that_balance_say_nothing() -> None:
    assert signed_rank(np.array([-1.0, 2.0, 3.0, -4.0])) == pytest.approx(1)
    assert signed_rank(np.zeros(5)) == 1
    assert signed_rank(np.array([0.3])) == 1


def test_holm_multiplies_by_how_many_are_left_and_never_falls() -> None:
    """As in the article's procedure: 4 x 0.005, 3 x 0.01, 2 x 0.03, and the last not below."""
    found = holm({"a": 0.01, "b": 0.04, "c": 0.03, "d": 0.005})
    assert found == pytest.approx({"a": 0.03, "b": 0.06, "c": 0.06, "d": 0.02})
    assert list(found) == ["a", "b", "c", "d"]
    assert holm({"a": 0.6, "b": 0.9}) == {"a": 1, "b": 1}


def curve(problem: str, strategy: str, seed: int, factor: float) -> Curve:
    noise = 1 + 0.01 * seed
    points = [
        Point(
            labelled=m,
            error=factor * noise / m,
            seconds=2.0 * m,
            q99=3 * factor / m,
            train_seconds=m,
            wasted=0.1 * factor * m,
            select_seconds=0.0,
        )
        for m in (10, 20, 40)
    ]
    return Curve(problem, strategy, seed, tuple(points))


def compared(problem: str, factor: float) -> Comparison:
    factors = {"random": 1.0, "better": factor, "worse": 1 / factor}
    curves = [curve(problem, name, s, f) for name, f in factors.items() for s in range(6)]
    return Comparison.of(curves, problem)


def test_a_row_holds_every_score() -> None:
    better, worse = rows_of(compared("p", 0.5), "random")
    assert better.alc.value == pytest.approx(np.log(0.5))
    assert better.alc_q99.value == pytest.approx(np.log(0.5))
    assert better.savings.last_q99.value == pytest.approx(0.5)
    for ratio in (
        better.savings.runs,
        better.savings.at_the_end,
        better.savings.solver_seconds,
        better.savings.all_seconds,
    ):
        assert ratio.value == pytest.approx(2)
    assert worse.savings.runs.value == pytest.approx(0.5)
    assert worse.wasted.value == pytest.approx(2)
    assert better.p == pytest.approx(2 / 2**6)
    assert better.corrected == pytest.approx(2 * better.p)


def test_over_all_problems_savings_are_geometric_means() -> None:
    rows = [row for f in (0.5, 0.25) for row in rows_of(compared(f"p{f}", f), "random")]
    means = overall(rows)
    assert means["better"].runs.value == pytest.approx(8**0.5)
    assert means["better"].last_q99.value == pytest.approx(8**-0.5)
    assert means["worse"].runs.value == pytest.approx(8**-0.5)
