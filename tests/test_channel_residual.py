"""The residual of predicted fields, for the embedded solver."""

import time
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import spearmanr

from pools.errors import SolverError, UsageError
from pools.outcome import Outcome
from pools.sample import Sample
from pools.solution import Solution
from pools.space import Parameter, ParameterSpace
from solvers.analytic import AnalyticSolver
from solvers.channel import ChannelSolver
from solvers.channel_flow import ChannelFlow
from solvers.channel_mesh import LENGTH, LEVELS, Obstacle
from solvers.navier_stokes import Array, Problem
from solvers.protocol import residual_solver
from solvers.settings import AnalyticSettings, ChannelSettings

CIRCLE = {"semi_axis_a": 0.05, "semi_axis_b": 0.05, "angle": 0.0, "height": 0.2}
COARSE = ChannelSolver(ChannelSettings())
SPACE = ParameterSpace(
    {
        "reynolds": Parameter(low=5, high=100, scale="log"),
        "semi_axis_a": Parameter(low=0.025, high=0.07),
        "semi_axis_b": Parameter(low=0.025, high=0.07),
        "angle": Parameter(low=-90, high=90),
        "height": Parameter(low=0.12, high=0.29),
    }
)


def sample(reynolds: float = 20.0, **changes: float) -> Sample:
    return Sample.of({"reynolds": reynolds, **CIRCLE, **changes}, COARSE.fingerprint)


def named(row: Array) -> dict[str, float]:
    return dict(zip(SPACE.names, row.tolist(), strict=True))


def flow_at(level: str) -> ChannelFlow:
    settings = ChannelSettings.model_validate({"mesh": level})
    return ChannelFlow.past(Obstacle.of(CIRCLE), LEVELS[settings.mesh])


@pytest.fixture(scope="module")
def solved(tmp_path_factory: pytest.TempPathFactory) -> Solution:
    return COARSE.solve(sample(), tmp_path_factory.mktemp("solved"))


def eddy(x: Array, y: Array) -> Array:
    """Fields of a smooth eddy behind the obstacle, without divergence, shape (p, 3)."""
    rise, slope = np.sin(np.pi * (x - 0.8)) ** 2, np.pi * np.sin(2 * np.pi * (x - 0.8))
    inside = (x > 0.8) & (x < 1.8)
    across, along = np.sin(np.pi * y / 0.41) ** 2, np.pi / 0.41 * np.sin(2 * np.pi * y / 0.41)
    u, v = 0.02 * rise * along, -0.02 * slope * across
    return np.column_stack([u, v, 0.01 * rise * across]) * inside[:, None]


def test_the_solution_itself_has_none(solved: Solution, tmp_path: Path) -> None:
    assert COARSE.residual(solved.sample, solved.stacked_fields(), tmp_path) < 1e-9


def test_a_constant_force_and_a_constant_source_are_measured_exactly() -> None:
    space = flow_at("coarse").space
    free = np.zeros(space.unknowns, dtype=np.bool_)
    x, _ = space.mesh.doflocs
    state = np.concatenate([3 * x, 0 * x, np.zeros(space.corners)])  # its divergence is 3 1/s
    _, mass = Problem(space, 0.0, free).strong_residual(state)
    assert mass == pytest.approx(3, rel=1e-3)  # cells around the obstacle are curved
    force = np.zeros(space.unknowns)
    np.add.at(force, space.cells, 2 * space.phi @ space.area.T)  # 2 m/s2 along x
    momentum, _ = Problem(space, 0.0, free, force).strong_residual(0 * state)
    assert momentum == pytest.approx(2, rel=1e-3)


@pytest.mark.parametrize("field", [0, 1, 2], ids="uvp")
def test_it_grows_with_the_error_of_each_field(
    solved: Solution, field: int, tmp_path: Path
) -> None:
    fields, off = solved.stacked_fields(), np.zeros(3)
    off[field] = 1
    wrong = eddy(*solved.mesh.points[:, :2].T) * off
    grown = [
        COARSE.residual(solved.sample, fields + s * wrong, tmp_path) for s in (0, 0.01, 0.1, 1, 2)
    ]
    assert (np.diff(grown) > 0).all()
    assert grown[2] == pytest.approx(10 * grown[1], rel=0.1)


def test_boundary_values_are_imposed_before_it_is_measured(
    solved: Solution, tmp_path: Path
) -> None:
    wrong = solved.stacked_fields()
    wrong[solved.mesh.points[:, 0] == 0, :2] += 0.1
    assert COARSE.residual(solved.sample, wrong, tmp_path) < 1e-9
    wrong[solved.mesh.points[:, 0] == LENGTH, :2] += 0.1  # the outflow's are unknowns
    assert COARSE.residual(solved.sample, wrong, tmp_path) > 1e-3


def test_the_same_error_counts_the_same_on_another_mesh() -> None:
    flows = [flow_at(level) for level in ("coarse", "medium", "fine")]
    found = [
        flow.residual(
            flow.problem(20.0),
            flow.state(dict(zip("uvp", eddy(*flow.space.mesh.doflocs).T, strict=True))),
        )
        for flow in flows
    ]
    assert found[0] == pytest.approx(found[2], rel=0.1)
    assert found[1] == pytest.approx(found[2], rel=0.05)


@pytest.mark.slow
def test_it_ranks_samples_as_the_error_of_a_poor_surrogate_does(tmp_path: Path) -> None:
    rows = SPACE.sobol(20, seed=4)
    samples = [Sample.of(named(row), COARSE.fingerprint) for row in rows]
    fields = np.stack([COARSE.solve(each, tmp_path).stacked_fields() for each in samples])
    unit, known = SPACE.normalise(rows), slice(0, 8)
    errors, residuals = [], []
    for at, each, truth in zip(unit[8:], samples[8:], fields[8:], strict=True):
        near = 1 / np.linalg.norm(unit[known] - at, axis=1) ** 3
        predicted = np.tensordot(near / near.sum(), fields[known], axes=1)  # (p, 3)
        weights = COARSE.mesh(each).weights
        off = (predicted - truth) / fields.std(axis=(0, 1))
        errors.append(np.sqrt(weights @ (off**2).mean(axis=1)))
        residuals.append(COARSE.residual(each, predicted, tmp_path))
    assert spearmanr(errors, residuals).statistic > 0.5


@pytest.mark.slow
def test_its_cost_is_linear_in_the_unknowns() -> None:
    flows = [flow_at(level) for level in ("coarse", "fine")]
    seconds = [min(cpu_seconds(flow) for _ in range(3)) for flow in flows]
    growth = flows[1].space.unknowns / flows[0].space.unknowns  # 6
    assert seconds[1] / seconds[0] < 2.5 * growth


def cpu_seconds(flow: ChannelFlow) -> float:
    fresh = ChannelFlow(flow.space.on(flow.space.mesh), flow.obstacle)
    started = time.process_time()
    fresh.residual(fresh.problem(20.0), fresh.at_rest())
    return time.process_time() - started


def test_fields_of_another_shape_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"shape \(10, 3\); the residual needs u, v, p"):
        COARSE.residual(sample(), np.zeros((10, 3)), tmp_path)


def test_fields_that_are_not_finite_are_refused(solved: Solution, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not finite"):
        COARSE.residual(sample(), solved.stacked_fields() * np.nan, tmp_path)


def test_where_there_is_no_mesh_there_is_no_residual(solved: Solution, tmp_path: Path) -> None:
    with pytest.raises(SolverError) as caught:
        COARSE.residual(sample(height=0.03), solved.stacked_fields(), tmp_path)
    assert caught.value.outcome is Outcome.MESH


def test_a_solver_without_it_is_named_with_the_way_out() -> None:
    assert residual_solver(COARSE) is COARSE
    with pytest.raises(UsageError, match=r"analytic.* no residual .* channel and openfoam have"):
        residual_solver(AnalyticSolver(AnalyticSettings(problem="wave")))
