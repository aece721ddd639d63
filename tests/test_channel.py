from pathlib import Path

import numpy as np
import pytest

from pools.errors import SolverError, UsageError
from pools.outcome import Outcome
from pools.sample import Sample
from pools.solution import Solution
from solvers.channel import ChannelSolver
from solvers.channel_mesh import HEIGHT, LENGTH
from solvers.settings import ChannelSettings

BENCHMARK = {
    "reynolds": 20.0,
    "semi_axis_a": 0.05,
    "semi_axis_b": 0.05,
    "angle": 0.0,
    "height": 0.2,
}
PUBLISHED = {"drag": 5.57953523, "lift": 0.01061894, "pressure_difference": 0.11752017}
# A point of a Sobol sequence over the default box at which a start from rest fails.
HARD = {
    "reynolds": 141.432,
    "semi_axis_a": 0.057,
    "semi_axis_b": 0.036,
    "angle": 70.628,
    "height": 0.227,
}

COARSE = ChannelSolver(ChannelSettings())


def sample(**changes: float) -> Sample:
    return Sample.of(BENCHMARK | changes, COARSE.fingerprint)


@pytest.fixture(scope="module")
def benchmark(tmp_path_factory: pytest.TempPathFactory) -> Solution:
    return COARSE.solve(sample(), tmp_path_factory.mktemp("benchmark"))


def relative_errors(solution: Solution) -> dict[str, float]:
    return {
        name: abs(solution.quantities[name].value / value - 1) for name, value in PUBLISHED.items()
    }


def test_coarse_mesh_meets_schaefer_and_turek(benchmark: Solution) -> None:
    errors = relative_errors(benchmark)
    assert errors["drag"] < 0.001
    assert errors["lift"] < 0.05
    assert errors["pressure_difference"] < 0.005


@pytest.mark.slow
@pytest.mark.parametrize(
    ("level", "drag", "lift", "pressure"),
    [("medium", 2e-4, 1e-2, 2e-3), ("fine", 5e-5, 2e-3, 1e-3)],
)
def test_finer_meshes_approach_schaefer_and_turek(
    level: str, drag: float, lift: float, pressure: float, tmp_path: Path
) -> None:
    solver = ChannelSolver(ChannelSettings.model_validate({"mesh": level}))
    errors = relative_errors(solver.solve(sample(), tmp_path))
    assert errors["drag"] < drag
    assert errors["lift"] < lift
    assert errors["pressure_difference"] < pressure


def flux(solution: Solution, x: float) -> float:
    """Volume flow through a column of biquadratic nodes, by Simpson's rule, in m2/s."""
    at = np.flatnonzero(solution.mesh.points[:, 0] == x)
    y = solution.mesh.points[at, 1]
    order = np.argsort(y)
    y, u = y[order], solution.fields["u"].values[at[order]]
    return float(np.sum((y[2::2] - y[:-2:2]) / 6 * (u[:-2:2] + 4 * u[1:-1:2] + u[2::2])))


def test_what_flows_in_flows_out(benchmark: Solution) -> None:
    assert flux(benchmark, 0.0) == pytest.approx(0.2 * HEIGHT, rel=1e-12)
    assert flux(benchmark, LENGTH) == pytest.approx(0.2 * HEIGHT, rel=1e-9)


def test_a_mirrored_obstacle_has_the_opposite_lift(tmp_path: Path) -> None:
    shape = {"semi_axis_a": 0.06, "semi_axis_b": 0.03}
    up = COARSE.solve(sample(**shape, angle=20.0, height=0.18), tmp_path).quantities
    down = COARSE.solve(sample(**shape, angle=-20.0, height=HEIGHT - 0.18), tmp_path).quantities
    assert down["lift"].value == pytest.approx(-up["lift"].value, rel=1e-8)
    assert down["drag"].value == pytest.approx(up["drag"].value, rel=1e-8)


def test_swapped_axes_are_a_quarter_turn(tmp_path: Path) -> None:
    lying = COARSE.solve(sample(semi_axis_a=0.06, semi_axis_b=0.03), tmp_path).quantities
    turned = {"semi_axis_a": 0.03, "semi_axis_b": 0.06, "angle": 90.0}
    swapped = COARSE.solve(sample(**turned), tmp_path).quantities
    assert swapped["drag"].value == pytest.approx(lying["drag"].value, rel=1e-8)


def test_restart_from_the_answer_takes_no_step(benchmark: Solution, tmp_path: Path) -> None:
    again = COARSE.solve(sample(), tmp_path, initial=benchmark)
    attempt = again.provenance["attempts"][0]
    assert attempt["start"] == "initial"
    assert attempt["iterations"] == 0
    np.testing.assert_array_equal(again.stacked_fields(), benchmark.stacked_fields())


def test_restart_from_a_neighbour_saves_steps(benchmark: Solution, tmp_path: Path) -> None:
    near = COARSE.solve(sample(reynolds=22.0, angle=5.0), tmp_path, initial=benchmark)
    assert len(near.provenance["attempts"]) == 1
    assert near.provenance["attempts"][0]["iterations"] <= 4


def test_initial_of_another_mesh_level_is_refused(benchmark: Solution, tmp_path: Path) -> None:
    medium = ChannelSolver(ChannelSettings(mesh="medium"))
    with pytest.raises(UsageError, match="same mesh level"):
        medium.solve(sample(), tmp_path, initial=benchmark)


def test_continuation_recovers_what_a_start_from_rest_cannot_reach(tmp_path: Path) -> None:
    solution = COARSE.solve(sample(**HARD), tmp_path)
    first, *path = solution.provenance["attempts"]
    assert (first["start"], first["outcome"]) == ("rest", "not_converged")
    assert path[-1]["start"] == "continuation"
    assert path[-1]["reynolds"] == HARD["reynolds"]
    assert path[-1]["residual"] <= 1e-10


def test_without_continuation_the_failure_keeps_its_evidence(tmp_path: Path) -> None:
    solver = ChannelSolver(ChannelSettings(max_iterations=1, continuation=False))
    with pytest.raises(SolverError, match="raise max_iterations") as caught:
        solver.solve(sample(), tmp_path)
    assert caught.value.outcome is Outcome.NOT_CONVERGED
    assert caught.value.directory == tmp_path
    assert "iteration  1  residual" in caught.value.log_tail
    assert caught.value.log_tail.endswith("not_converged")


@pytest.mark.parametrize("changes", [{"height": 0.05}, {"semi_axis_b": -0.01}], ids=str)
def test_an_obstacle_that_does_not_fit_is_a_mesh_failure(
    changes: dict[str, float], tmp_path: Path
) -> None:
    with pytest.raises(SolverError) as caught:
        COARSE.solve(sample(**changes), tmp_path)
    assert caught.value.outcome is Outcome.MESH
    assert caught.value.reason in caught.value.log_tail
    with pytest.raises(UsageError, match="has no mesh"):
        COARSE.mesh(sample(**changes))


def test_reynolds_must_be_positive(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="above 0"):
        COARSE.solve(sample(reynolds=0.0), tmp_path)


def test_weights_are_areas(benchmark: Solution) -> None:
    mesh = benchmark.mesh
    assert len(mesh.types) == 4 * 448
    mean_u = float(mesh.weights @ benchmark.fields["u"].values)
    assert mean_u * (LENGTH * HEIGHT - np.pi * 0.05**2) == pytest.approx(
        LENGTH * 0.2 * HEIGHT, rel=1e-2
    )
