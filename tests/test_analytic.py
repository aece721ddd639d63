import time
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from pools.errors import SolverError
from pools.outcome import Outcome
from pools.sample import Sample
from solvers.analytic import (
    CLOSED_FORMS,
    AnalyticSolver,
    cliff,
    cliff_effort,
    cliff_margin,
    friedman,
    local,
    shock,
    wave,
)
from solvers.settings import AnalyticSettings

NOWHERE = np.zeros((1, 2))


def test_local_peaks_at_seven_tenths() -> None:
    (at_peak, _), (far, _) = (local(np.full(4, x), NOWHERE) for x in (0.7, 0.2))
    assert at_peak["response"] - far["response"] > 2


def test_shock_front_moves_with_its_place() -> None:
    line = np.column_stack([np.linspace(0, 1, 201), np.full(201, 0.5)])
    fronts = []
    for place in (0.1, 0.9):
        _, fields = shock(np.array([place, 0.5, 0.0, 0.5]), line)
        fronts.append(line[np.argmin(np.diff(fields["density"])), 0])
    assert fronts == pytest.approx([0.26, 0.74], abs=0.02)


def test_wave_is_at_rest_at_the_bottom() -> None:
    points = np.array([[0.3, 0.0], [0.3, 1.0]])
    _, fields = wave(np.array([0.5, 0.25]), points)
    assert fields["height"] == pytest.approx([0.0, np.sin(2 * np.pi * 0.55)])


def test_the_cliff_takes_away_two_fifths_and_the_answers_steepen_before_it() -> None:
    rows = np.random.default_rng(0).random((4096, 4))
    margins = np.array([cliff_margin(row) for row in rows])
    assert np.mean(margins < 0) == pytest.approx(0.4, abs=0.02)
    answers = np.array([cliff(row, NOWHERE)[0]["response"] for row in rows[margins > 0]])
    near = margins[margins > 0] < 0.05
    assert answers[near].mean() > answers[~near].mean() + 0.4
    efforts = [cliff_effort(row) for row in rows[margins > 0]]
    assert (min(efforts), max(efforts)) == pytest.approx((1, 10), rel=0.06)


def test_beyond_the_cliff_a_sample_fails_and_says_what_it_cost(tmp_path: Path) -> None:
    solver = AnalyticSolver(AnalyticSettings(problem="cliff"))
    safe = Sample.of({"x1": 0.1, "x2": 0.1, "x3": 1.0, "x4": 1.0}, solver.fingerprint)
    bad = Sample.of({"x1": 0.9, "x2": 0.9, "x3": 1.0, "x4": 0.0}, solver.fingerprint)
    assert solver.solve(safe, tmp_path).evidence == {"effort": pytest.approx(10)}
    with pytest.raises(SolverError, match="beyond the edge") as caught:
        solver.solve(bad, tmp_path)
    assert caught.value.outcome is Outcome.DIVERGED
    assert caught.value.evidence == {"effort": pytest.approx(10**0.5)}


def test_friedman_is_the_published_function_and_half_of_it_is_idle() -> None:
    """Its mean over the cube is 14.4 [Friedman1991]: 10 x 0.527 + 20 / 12 + 10 / 2 + 5 / 2."""
    x = np.array([0.5, 1.0, 0.0, 0.3, 0.2, *np.zeros(5)])
    assert friedman(x, NOWHERE)[0]["response"] == pytest.approx(10 + 5 + 3 + 1)
    idle = np.array([*x[:5], *np.ones(5)])
    assert friedman(idle, NOWHERE) == friedman(x, NOWHERE)
    rows = np.random.default_rng(0).random((8192, 10))
    mean = np.mean([friedman(row, NOWHERE)[0]["response"] for row in rows])
    assert mean == pytest.approx(14.4, abs=0.2)


def test_fields_live_on_the_unit_square() -> None:
    mesh = CLOSED_FORMS["shock"].mesh()
    assert len(mesh.types) == 32 * 16
    assert mesh.weights @ mesh.points[:, 0] == pytest.approx(0.5)


def test_declared_region_diverges_and_leaves_its_evidence(tmp_path: Path) -> None:
    solver = AnalyticSolver(AnalyticSettings(problem="wave", fails_above=0.6))
    fine = Sample.of({"length": 0.6, "phase": 0.9}, solver.fingerprint)
    bad = Sample.of({"length": 0.61, "phase": 0.0}, solver.fingerprint)
    assert solver.solve(fine, tmp_path).sample == fine
    with pytest.raises(SolverError, match="raise fails_above") as caught:
        solver.solve(bad, tmp_path)
    assert caught.value.outcome is Outcome.DIVERGED
    assert (tmp_path / "solver.log").read_text() == f"{caught.value.log_tail}\n"


def test_it_takes_the_seconds_that_it_is_told(tmp_path: Path) -> None:
    solver = AnalyticSolver(AnalyticSettings(seconds=0.05))
    start = time.perf_counter()
    solver.solve(Sample.of({"length": 0.1, "phase": 0.1}, solver.fingerprint), tmp_path)
    assert time.perf_counter() - start >= 0.05


def test_seconds_do_not_change_what_a_sample_is() -> None:
    slow, quick = (AnalyticSolver(AnalyticSettings(seconds=s)) for s in (1.0, 0.0))
    assert slow.fingerprint == quick.fingerprint


def test_unknown_problems_are_refused() -> None:
    with pytest.raises(ValidationError, match="problem"):
        AnalyticSettings.model_validate({"problem": "vortex"})
