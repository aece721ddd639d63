from pathlib import Path

import numpy as np
import pytest

from phases.config import load
from pools.errors import SolverError, UsageError
from pools.outcome import Outcome
from pools.sample import Sample
from solvers.build import build
from solvers.combined import CombinedSolver, steepness, two_waves
from solvers.combined_equation import LENGTH, Array, CombinedEquation, places, tail
from solvers.settings import CombinedSettings

WAVES = {
    "alpha": 1.0,
    "beta": 0.2,
    "gamma": 0.3,
    "amplitude": 0.8,
    "mix": 0.4,
    "phase": 1.0,
}
EQUATION = CombinedEquation(alpha=1.0, beta=0.2, gamma=0.3)


def start(points: int) -> Array:
    return two_waves(WAVES, places(points))


def solve(equation: CombinedEquation, initial: Array, duration: float, steps: int) -> Array:
    return np.fft.irfft(equation.solve(initial, duration, steps), len(initial))


def test_it_is_of_fourth_order_in_time() -> None:
    exact = solve(EQUATION, start(64), 2.0, 1024)
    errors = [np.abs(solve(EQUATION, start(64), 2.0, n) - exact).max() for n in (32, 64, 128)]
    orders = np.log2(np.array(errors[:-1]) / errors[1:])
    assert orders == pytest.approx(4, abs=0.3)


def test_it_converges_spectrally_in_space() -> None:
    exact = solve(EQUATION, start(256), 2.0, 256)
    errors = [
        np.abs(solve(EQUATION, start(n), 2.0, 256) - exact[:: 256 // n]).max()
        for n in (16, 32, 64)
    ]
    assert errors[1] < 0.1 * errors[0]
    assert errors[2] < 1e-3 * errors[1]
    assert errors[2] < 1e-6


def test_without_steepening_it_is_the_heat_equation() -> None:
    wave = 2 * np.pi * 3 / LENGTH
    x = places(64)
    found = solve(CombinedEquation(0.0, 0.4, 0.0), np.sin(wave * x), 4.0, 3)
    np.testing.assert_allclose(found, np.exp(-0.4 * wave**2 * 4.0) * np.sin(wave * x), atol=1e-13)


def test_dispersion_alone_shifts_each_wave() -> None:
    wave = 2 * np.pi * 2 / LENGTH
    x = places(64)
    found = solve(CombinedEquation(0.0, 0.0, 0.7), np.sin(wave * x), 4.0, 3)
    np.testing.assert_allclose(found, np.sin(wave * (x + 0.7 * wave**2 * 4.0)), atol=1e-13)


def test_a_soliton_travels_unchanged() -> None:
    """Of u_t + 6 u u_x + u_xxx = 0 it is c/2 sech^2(sqrt(c)/2 (x - ct))."""
    speed, x = 4.0, places(256)

    def soliton(time: float) -> Array:
        off = (x - 5.0 - speed * time + LENGTH / 2) % LENGTH - LENGTH / 2
        return np.asarray(speed / 2 / np.cosh(np.sqrt(speed) / 2 * off) ** 2)

    found = solve(CombinedEquation(3.0, 0.0, 1.0), soliton(0.0), 1.0, 400)
    np.testing.assert_allclose(found, soliton(1.0), atol=1e-5)


def test_mass_is_conserved_and_energy_only_lost_to_diffusion() -> None:
    initial = 0.3 + start(128)
    found = solve(EQUATION, initial, 4.0, 128)
    assert found.mean() == pytest.approx(initial.mean(), abs=1e-14)
    assert np.mean(found**2) < np.mean(initial**2)
    ideal = solve(CombinedEquation(1.0, 0.0, 0.3), initial, 1.0, 512)
    assert np.mean(ideal**2) == pytest.approx(np.mean(initial**2), rel=1e-7)


def test_the_tail_tells_a_resolved_field_from_another() -> None:
    assert tail(EQUATION.solve(start(128), 4.0, 128)) < 1e-6
    assert tail(CombinedEquation(3.0, 0.02, 0.0).solve(start(128), 4.0, 512)) > 1e-2


def test_steepness_is_the_root_mean_square_slope() -> None:
    wave = 2 * np.pi * 2 / LENGTH
    modes = np.fft.rfft(3 * np.sin(wave * places(64)))
    assert steepness(modes) == pytest.approx(3 * wave / np.sqrt(2))


def test_a_field_that_blows_up_has_diverged(tmp_path: Path) -> None:
    solver = CombinedSolver(CombinedSettings(steps=4))
    wild = Sample.of(WAVES | {"alpha": 3.0, "beta": 0.0, "amplitude": 50.0}, solver.fingerprint)
    with pytest.raises(SolverError, match="raise steps") as caught:
        solver.solve(wild, tmp_path)
    assert caught.value.outcome is Outcome.DIVERGED


def test_negative_diffusion_is_refused(tmp_path: Path) -> None:
    solver = CombinedSolver(CombinedSettings())
    with pytest.raises(UsageError, match="raise its lower bound"):
        solver.solve(Sample.of(WAVES | {"beta": -0.1}, solver.fingerprint), tmp_path)


def test_within_the_examples_bounds_time_steps_are_short_enough(tmp_path: Path) -> None:
    config = load(Path("examples") / "combined.yaml")
    names, solver = config.parameters.names, build(config.solver)
    finer = build(CombinedSettings(steps=512))
    for sample in Sample.of_rows(config.parameters.sobol(16, 1), names, solver.fingerprint):
        found, exact = (
            each.solve(sample, tmp_path).fields["u"].values for each in (solver, finer)
        )
        assert np.linalg.norm(found - exact) < 1e-3 * np.linalg.norm(exact)
