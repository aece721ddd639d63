"""The comparison of strategies: its scores, its store, and a tiny run to the end."""

import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks import efficiency, efficiency_size
from benchmarks.curves import Curve, CurveStore, Point, write_csv
from benchmarks.efficiency import Task
from benchmarks.efficiency_picture import draw
from benchmarks.efficiency_table import Comparison, print_comparison, print_overall
from benchmarks.problems import Problem, SolvedProblem
from benchmarks.replay import Plan, Round, outcomes_of, run_curve
from benchmarks.replay_table import ReplayTable, TableSequence
from benchmarks.scores import alc, der, labels_to_reach, over_seeds, typical
from pools.errors import UsageError
from pools.pick import Pick
from pools.sample import Sample
from reports.canvas import png
from solvers.analytic import cliff_effort, cliff_margin
from solvers.settings import AnalyticSettings
from surrogates.settings import EnsembleSettings, Schedule

LABELLED = np.array([10.0, 20.0, 40.0])
TINY = EnsembleSettings(
    members=2,
    width=8,
    depth=1,
    initial=Schedule(kind="cosine", start=1e-2, end=1e-4, length=50),
)


def tiny_problem(name: str = "local") -> SolvedProblem:
    return SolvedProblem.of_closed_form(name, test_samples=16, pool=64)


def a_curve(strategy: str = "random", seed: int = 0, scale: float = 1.0) -> Curve:
    points = (
        Point(10, 0.4 * scale, 0.5, outputs={"quantities.y": 0.4 * scale}),
        Point(20, 0.2 * scale, 0.3),
        Point(40, 0.1 * scale),
    )
    return Curve("local", strategy, seed, points)


def test_alc_is_the_mean_log_ratio_after_the_shared_start() -> None:
    baseline = np.array([[1.0, 0.5, 0.25], [1.0, 0.5, 0.25]])
    errors = baseline * np.array([[1.0, 0.5, 0.5], [1.0, 1.0, 1.0]])
    assert alc(errors, baseline) == pytest.approx([np.log(0.5), 0.0])


def test_labels_are_interpolated_on_logarithms() -> None:
    errors = 1 / LABELLED
    assert labels_to_reach(LABELLED, errors, 1 / 30) == pytest.approx(30)
    assert labels_to_reach(LABELLED, errors, 1.0) == 10


def test_no_curve_is_extrapolated() -> None:
    with pytest.raises(ValueError, match="never reaches"):
        labels_to_reach(LABELLED, 1 / LABELLED, 0.9 / 40)


def test_half_the_labels_give_a_ratio_of_two() -> None:
    assert der(LABELLED, 0.5 / LABELLED, 1 / LABELLED) == pytest.approx(2)


def test_a_worse_strategy_has_the_reciprocal_ratio() -> None:
    assert der(LABELLED, 2 / LABELLED, 1 / LABELLED) == pytest.approx(0.5)


def test_the_ratio_stays_within_what_was_run() -> None:
    far_better, baseline = 1e-6 / LABELLED, 1 / LABELLED
    assert der(LABELLED, far_better, baseline) == pytest.approx(4)
    assert der(LABELLED, baseline, far_better) == pytest.approx(1 / 4)


def test_a_curve_against_itself_is_one_though_it_rises_again() -> None:
    errors = np.array([0.4, 0.1, 0.2])
    assert der(LABELLED, errors, errors) == 1


def test_the_interval_is_deterministic_and_holds_the_value() -> None:
    values = np.random.default_rng(1).normal(size=8)
    first, second = (over_seeds(8, lambda chosen: float(values[chosen].mean())) for _ in "ab")
    assert first == second
    assert first.low < first.value < first.high


def test_one_seed_gives_no_interval() -> None:
    interval = over_seeds(1, lambda chosen: float(len(chosen)))
    assert interval.value == 1
    assert np.isnan([interval.low, interval.high]).all()


def test_typical_is_the_geometric_mean_over_seeds() -> None:
    assert typical(np.array([[1.0, 4.0], [4.0, 16.0]])) == pytest.approx([2, 8])


def test_a_kept_curve_is_found_again(tmp_path: Path) -> None:
    store = CurveStore(tmp_path / "curves")
    assert store.find("local", "random", 0) is None
    store.keep(a_curve())
    assert store.find("local", "random", 0) == a_curve()


def test_a_curve_of_before_failures_were_counted_is_read() -> None:
    content = {
        "problem": "local",
        "strategy": "x",
        "seed": 0,
        "points": [{"labelled": 8, "error": 1}],
    }
    (point,) = Curve.from_json(content).points
    assert (point.runs, point.seconds, point.wasted) == (8, None, None)


def test_the_table_of_curves_has_a_line_for_each_step(tmp_path: Path) -> None:
    write_csv(tmp_path / "curves.csv", [a_curve(), a_curve("sbal")])
    lines = (tmp_path / "curves.csv").read_text().splitlines()
    assert lines[0].startswith("problem,strategy,seed,step,labelled,error")
    assert lines[0].endswith("train_seconds,select_seconds,quantities.y")
    assert lines[1].startswith("local,random,0,0,10,0.4,0.5,,,,,")
    assert lines[1].endswith(",0.4")
    assert len(lines) == 1 + 2 * 3


def test_a_sequence_over_a_table_goes_on_and_round() -> None:
    rows = np.arange(5.0)[:, np.newaxis]
    sequence = TableSequence(rows, start=3, names=("x",), used=1, solver="closed form")
    assert [sample.parameters["x"] for sample in sequence.next(3)] == [4, 0, 1]
    with pytest.raises(UsageError, match="4 of the table are left"):
        sequence.next(5)


def test_a_table_leaves_out_and_counts_what_failed(tmp_path: Path) -> None:
    settings = AnalyticSettings(problem="wave", fails_above=0.5)
    space = SolvedProblem.of_closed_form("wave", 2).space
    table = ReplayTable(space, settings, tmp_path, size=4, test_samples=2)
    assert len(list(table.solve(1))) == 6
    assert len(table.rows) == 2
    assert (table.rows[:, 0] <= 0.5).all()
    assert table.seconds(Sample.of_rows(table.rows, space.names, table.fingerprint)[0]) > 0
    assert table.failures() == 6 - len(table.rows) - len(table.test_set())


def test_strategies_of_a_seed_begin_alike_and_part() -> None:
    plan = Plan(initial=8, per_step=4, steps=1, surrogate=TINY)
    curves = [run_curve(tiny_problem(), plan, name, 1) for name in ("random", "sobol", "sbal")]
    assert len({curve.points[0] for curve in curves}) == 1
    assert len({curve.points[1] for curve in curves}) == 3
    assert [point.labelled for point in curves[0].points] == [8, 12]
    assert curves[0] == run_curve(tiny_problem(), plan, "random", 1)


def test_failed_samples_cost_their_seconds_and_add_no_label() -> None:
    plan = Plan(initial=16, per_step=8, steps=1, surrogate=TINY)
    first, last = run_curve(tiny_problem("cliff"), plan, "random", 1).points
    assert (first.asked, last.asked) == (16, 24)
    assert first.labelled < 16
    assert first.labelled < last.labelled < 24
    assert first.seconds is not None
    assert last.seconds is not None
    assert 0 < (first.wasted or 0) < first.seconds < last.seconds
    assert first.seconds > 16


def test_strategies_of_a_replay_see_what_failed() -> None:
    problem = tiny_problem("cliff")
    rows = problem.space.sobol(16, 1)
    picks = [Pick(sample, "x") for sample in Sample.of_rows(rows, problem.space.names, "s")]
    answers = [problem.answer(pick.sample) for pick in picks]
    found = outcomes_of([Round(picks, answers, None)], problem.space)
    np.testing.assert_array_equal(found.parameters, rows)
    np.testing.assert_array_equal(found.solved, [cliff_margin(row) > 0 for row in rows])
    np.testing.assert_allclose(found.seconds, [cliff_effort(row) for row in rows])


def test_only_what_is_solved_is_tested_on() -> None:
    assert 4 < len(tiny_problem("cliff").test_set()) < 16


def test_a_finished_curve_is_not_run_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(efficiency, "RESULTS", tmp_path)
    task = Task(tiny_problem(), Plan(8, 4, 1, TINY), "random", 0)
    first = task.run()
    monkeypatch.setattr(efficiency, "run_curve", lambda *_: pytest.fail("it was run again"))
    assert task.run() == first
    other = Task(tiny_problem(), Plan(8, 4, 2, TINY), "random", 0)
    assert other.store != task.store  # another plan is another curve


def test_the_benchmark_runs_to_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def problem(name: str, _table: int) -> Problem:
        return tiny_problem(name)

    monkeypatch.setattr(efficiency, "RESULTS", tmp_path)
    monkeypatch.setattr(efficiency, "problem_of", problem)
    monkeypatch.setattr(efficiency_size, "SHORT", TINY)
    arguments = "--problems local --strategies sbal --seeds 1 --steps 1 --jobs 1"
    monkeypatch.setattr(sys, "argv", ["efficiency", *arguments.split()])
    efficiency.main()
    printed = capsys.readouterr().out
    assert "local: 64 to 96 labels, 1 paired seeds" in printed
    assert "random" in printed
    assert "sbal" in printed
    assert (tmp_path / "efficiency.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "efficiency.csv").exists()


def test_several_seeds_are_printed_and_drawn_with_intervals(
    capsys: pytest.CaptureFixture[str],
) -> None:
    curves = [a_curve(name, seed, 1 + 0.1 * seed) for name in ("random", "x") for seed in (0, 1)]
    comparison = Comparison.of(curves, "local")
    print_comparison(comparison)
    print_overall([comparison])
    assert "+0.000 [+0.000, +0.000]" in capsys.readouterr().out
    assert png(draw([comparison])).startswith(b"\x89PNG")
