"""The comparison of strategies: its scores, its store, and a tiny run to the end."""

import sys
from pathlib import Path

import numpy as np
import pytest
from tiny_ensemble import TINY

from benchmarks import efficiency, efficiency_size
from benchmarks.comparison import Comparison
from benchmarks.curves import Curve, CurveStore, Point, write_csv
from benchmarks.efficiency import Task
from benchmarks.efficiency_picture import draw
from benchmarks.efficiency_table import report
from benchmarks.problems import Problem, SolvedProblem
from benchmarks.replay import Plan, Round, outcomes_of, run_curve
from benchmarks.replay_table import ReplayTable, TableSequence
from benchmarks.strategy_name import queries_of, settings_of
from benchmarks.trial import digest_of
from pools.errors import UsageError
from pools.pick import Pick
from pools.sample import Sample
from reports.canvas import png
from solvers.analytic import cliff_effort, cliff_margin
from solvers.policy import LabelPolicy
from solvers.settings import AnalyticSettings
from strategies.settings import HybridSettings, SbalSettings, SobolSettings


def tiny_problem(name: str = "local") -> SolvedProblem:
    return SolvedProblem.of_closed_form(name, test_samples=16, pool=64)


def a_curve(strategy: str = "random", seed: int = 0, scale: float = 1.0) -> Curve:
    points = (
        Point(10, 0.4 * scale, 0.5, outputs={"quantities.y": 0.4 * scale}),
        Point(20, 0.2 * scale, 0.3),
        Point(40, 0.1 * scale),
    )
    return Curve("local", strategy, seed, points)


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
    table = ReplayTable(space, settings, LabelPolicy(), tmp_path, size=4, test_samples=2)
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


def task(strategy: str = "random", trial: str = "digest", steps: int = 1) -> Task:
    return Task(tiny_problem(), Plan(8, 4, steps, TINY), strategy, trial, 0)


def test_a_finished_curve_is_not_run_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(efficiency, "RESULTS", tmp_path)
    first = task().run()
    monkeypatch.setattr(efficiency, "run_curve", lambda *_: pytest.fail("it was run again"))
    assert task().run() == first
    assert efficiency.run_all([task()], jobs=2) == [first]


def test_a_curve_of_another_plan_setting_or_code_is_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(efficiency, "RESULTS", tmp_path)
    assert task("sbal").store == task("sbal:beta=1.0").store  # the default, written out
    others = [task("sbal"), task("sbal:beta=2"), task("sbal", "other"), task("sbal", steps=2)]
    assert len({each.store.directory for each in others}) == len(others)


def test_where_the_table_lies_decides_no_curve(tmp_path: Path) -> None:
    settings = AnalyticSettings(problem="wave")
    space = SolvedProblem.of_closed_form("wave", 2).space
    here, there = (
        ReplayTable(space, settings, LabelPolicy(), tmp_path / name, size=4, test_samples=2)
        for name in "ab"
    )
    assert repr(here) == repr(there)


def test_a_strategy_is_written_with_its_settings() -> None:
    (hybrid,) = queries_of("hybrid:shortlist=8,beta=schedule")
    assert hybrid == HybridSettings(shortlist=8, beta="schedule")
    shares = queries_of("sbal:fraction=0.9+sobol:fraction=0.1")
    assert shares == (SbalSettings(fraction=0.9), SobolSettings(fraction=0.1))
    assert settings_of(queries_of("sbal")) == settings_of(queries_of("sbal:beta=1"))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("sbla", "kinds are random, sobol"),
        ("hybrid:shortlst=8", "settings of hybrid are fraction, refine, shortlist"),
        ("hybrid:beta", "write KEY=VALUE"),
        ("sbal:beta=often", "sbal:beta=often"),
    ],
)
def test_a_strategy_that_cannot_be_read_is_refused(name: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        queries_of(name)


def test_the_digest_of_a_trial_follows_what_a_strategy_does() -> None:
    first, again, other = (
        digest_of(queries_of(name)) for name in ("sbal", "sbal:beta=1", "sbal:beta=0")
    )
    assert first == again
    assert first != other


def test_strategies_that_share_a_step_ask_for_all_of_it() -> None:
    plan = Plan(initial=8, per_step=4, steps=1, surrogate=TINY)
    points = run_curve(tiny_problem(), plan, "sbal:fraction=0.5+sobol:fraction=0.5", 1).points
    assert [point.labelled for point in points] == [8, 12]


def test_trainings_and_selections_are_timed() -> None:
    plan = Plan(initial=8, per_step=4, steps=1, surrogate=TINY)
    first, last = run_curve(tiny_problem(), plan, "sbal", 1).points
    assert first.select_seconds == 0
    assert (first.train_seconds or 0) > 0
    assert (last.select_seconds or 0) > 0
    assert (last.all_seconds or 0) > (last.seconds or 0) + (first.train_seconds or 0)
    assert a_curve().points[0].all_seconds is None


def test_a_points_quantiles_rise_and_hold_the_outputs() -> None:
    plan = Plan(initial=8, per_step=4, steps=0, surrogate=TINY)
    (point,) = run_curve(tiny_problem("shock"), plan, "random", 1).points
    assert 0 < (point.q50 or 0) < (point.q95 or 0) < (point.q99 or 0) < (point.worst or 0)
    assert set(point.outputs) == {"fields.density", "quantities.mean_density", "quantities.drop"}
    assert np.mean(list(point.outputs.values())) == pytest.approx(point.error)


def test_the_combined_equation_is_a_problem() -> None:
    problem = efficiency_size.problem_of("combined", 0)
    (sample, *_) = problem.design(0, 0).next(2)
    answer = problem.answer(sample)
    assert answer.solution is not None
    assert answer.seconds == 1


def test_the_benchmark_runs_to_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def problem(name: str, _table: int) -> Problem:
        return tiny_problem(name)

    monkeypatch.setattr(efficiency, "RESULTS", tmp_path)
    monkeypatch.setattr(efficiency, "problem_of", problem)
    monkeypatch.setattr(efficiency_size, "SHORT", TINY)
    arguments = "--problems local --strategies sbal:beta=2 --seeds 1 --steps 1 --jobs 1"
    page = tmp_path / "page.md"
    monkeypatch.setattr(
        sys, "argv", ["efficiency", *arguments.split(), "--members", "3", "--markdown", str(page)]
    )
    efficiency.main()
    printed = capsys.readouterr().out
    assert "local: 64 to 96 runs, 1 paired seeds" in printed
    assert "| sbal:beta=2 |" in page.read_text()
    assert page.read_text() in printed
    assert (tmp_path / "efficiency.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "efficiency.csv").exists()


def test_a_strategy_that_is_unknown_ends_the_benchmark_at_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["efficiency", "--strategies", "sbla"])
    with pytest.raises(SystemExit):
        efficiency.main()
    assert "kinds are random, sobol" in capsys.readouterr().err


def test_several_seeds_are_told_and_drawn_with_intervals() -> None:
    curves = [
        a_curve(name, seed, 1 + 0.1 * seed) for name in ("random", "sobol") for seed in (0, 1)
    ]
    comparison = Comparison.of(curves, "local")
    tables = report([comparison])
    assert "+0.000 [+0.000, +0.000]" in tables  # sobol equals random here
    assert "1.00 [1.00, 1.00]" in tables
    assert "–" in tables  # its seconds and quantiles were not counted
    assert png(draw([comparison])).startswith(b"\x89PNG")
