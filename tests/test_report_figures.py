"""Figures of the report: pure functions on plain data."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure

from pools.parameter import Parameter
from pools.sample import Sample
from pools.solution import Field, Mesh, Solution
from pools.space import ParameterSpace
from reports.calibration import LEVELS, coverage, draw_calibration
from reports.canvas import label, panel_grid, png, pretty_unit
from reports.design_space import MOST_PARAMETERS, Asked, draw_design_space
from reports.field_picture import KINDS, PredictedSample, draw_fields, panels_of, triangles_of
from reports.learning_curve import CurvePoint, draw_learning_curve
from reports.log_axis import log_ticks, thinned
from reports.parity import QuantityTest, draw_parity
from reports.phase_seconds import StepSeconds, draw_phase_seconds
from reports.render import Scene, render
from strategies.metrics import FieldMetrics, Metrics, QuantityMetrics, Spread

PNG = b"\x89PNG\r\n\x1a\n"


def quantity_metrics(rmse: float = 0.1) -> QuantityMetrics:
    return QuantityMetrics("m2/s2", rmse, nrmse=rmse, r2=0.9, coverage90=0.8, mean_std=0.1)


def point(step: int, labelled: int, error: float) -> CurvePoint:
    fields = {"u": FieldMetrics("m/s", Spread(error, error, error, error), 0.9)}
    quantities = {"drag_force": quantity_metrics(error)}
    return CurvePoint(step, labelled, Metrics(error, 64, fields, quantities))


def visible(figure: Figure) -> list[Any]:
    return [axes for axes in figure.axes if axes.get_visible()]


def mesh(columns: int = 6, rows: int = 3) -> Mesh:
    x, y = np.meshgrid(np.linspace(0, 2, columns + 1), np.linspace(0, 1, rows + 1), indexing="ij")
    index = np.arange(x.size).reshape(columns + 1, rows + 1)
    corners = [index[:-1, :-1], index[1:, :-1], index[1:, 1:], index[:-1, 1:]]
    quads = np.stack(corners, axis=-1).reshape(-1, 4)
    return Mesh.of_quads(np.column_stack([x.ravel(), y.ravel()]), quads)


def predicted(fields: int = 2) -> PredictedSample:
    plane = mesh()
    x = plane.points[:, 0]
    truth = {f"f{i}": Field(np.sin(x + i), "m/s") for i in range(fields)}
    solution = Solution(Sample("abc", {"a": 1.0}), plane, truth, {})
    mean = solution.stacked_fields() + 0.1 * x[:, np.newaxis]
    return PredictedSample("median", 0.1, solution, mean, np.full_like(mean, 0.05))


def test_the_learning_curve_shows_every_step_on_log_axes() -> None:
    figure = draw_learning_curve([point(0, 16, 0.3), point(1, 24, 0.1), point(2, 32, 0.03)], 0.02)
    headline, field, quantity = visible(figure)
    assert headline.lines[0].get_xdata().tolist() == [16, 24, 32]
    assert headline.lines[1].get_ydata() == pytest.approx([0.02, 0.02])
    assert (headline.get_xscale(), headline.get_yscale()) == ("log", "log")
    assert headline.get_xticks().tolist() == [16, 24, 32]
    assert (field.get_title("left"), quantity.get_title("left")) == ("u", "drag force")
    assert png(figure).startswith(PNG)


@pytest.mark.parametrize("error", [0.3, 0.0])
def test_a_learning_curve_of_one_point_can_be_drawn(error: float) -> None:
    figure = draw_learning_curve([point(0, 16, error)])
    assert len(png(figure)) > 10_000
    assert visible(figure)[0].lines[0].get_ydata().tolist() == [error]


def test_parity_shows_each_sample_with_its_interval_and_the_numbers() -> None:
    truth = np.linspace(0, 1, 7)
    figure = draw_parity([QuantityTest("lift", quantity_metrics(), truth, truth + 0.1, truth)])
    (axes,) = visible(figure)
    bars = axes.containers[0]
    assert bars.lines[0].get_xdata().tolist() == truth.tolist()
    segments = bars.lines[2][0].get_segments()
    assert segments[-1][:, 1] == pytest.approx([1.1 - 1.6448536, 1.1 + 1.6448536])
    assert "R² 0.900" in axes.texts[0].get_text()
    assert axes.get_xlabel() == "true [m²/s²]"
    assert axes.get_xlim() == axes.get_ylim()
    assert png(figure).startswith(PNG)


def test_parity_of_a_constant_quantity_can_be_drawn() -> None:
    constant = np.full(3, 2.0)
    test = QuantityTest("lift", quantity_metrics(), constant, constant, np.zeros(3))
    assert png(draw_parity([test])).startswith(PNG)


def space(d: int) -> ParameterSpace:
    first = {"reynolds": Parameter(low=5, high=150, scale="log")}
    others = {f"x{i}": Parameter(low=0, high=1, unit="m") for i in range(1, d)}
    return ParameterSpace({**first, **others})


def groups(d: int) -> list[Asked]:
    rows = space(d).sobol(8, seed=1)
    return [Asked(None, rows[:4], rows[4:5]), Asked(0, rows[5:], rows[:0])]


@pytest.mark.parametrize(("d", "panels"), [(1, 1), (2, 1), (3, 3), (5, 10)])
def test_samples_are_drawn_over_every_pair_of_parameters(d: int, panels: int) -> None:
    figure = draw_design_space(space(d), groups(d))
    drawn = visible(figure)
    assert len(drawn) == panels
    assert sum(len(c.get_offsets()) for c in drawn[0].collections) == 8
    assert drawn[0].get_xscale() == "log"
    assert png(figure).startswith(PNG)


def test_many_parameters_are_cut_to_those_that_fit() -> None:
    d = MOST_PARAMETERS + 2
    pairs = MOST_PARAMETERS * (MOST_PARAMETERS - 1) // 2
    assert len(visible(draw_design_space(space(d), groups(d)))) == pairs


def test_failed_samples_are_crosses_and_named_in_the_legend() -> None:
    figure = draw_design_space(space(2), groups(2))
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert names == ["initial design", "step 0", "failed"]


def test_phases_are_stacked_beside_the_solver() -> None:
    steps = [
        StepSeconds("design", {"design": 2.0}, 30.0),
        StepSeconds("0", {"train": 3.0, "query": 1.0}, 5.0),
    ]
    (axes,) = visible(draw_phase_seconds(steps))
    tops = [bar.get_y() + bar.get_height() for group in axes.containers for bar in group]
    assert max(tops) == 30.0
    assert {group.get_label() for group in axes.containers} == {
        "design",
        "train",
        "query",
        "solver",
    }
    assert axes.get_ylabel() == "seconds"


def test_coverage_of_a_gaussian_is_nominal() -> None:
    rng = np.random.default_rng(1)
    std = rng.uniform(0.5, 2, 40_000)
    observed = coverage(rng.normal(0, std), std, np.ones(40_000))
    np.testing.assert_allclose(observed, LEVELS, atol=0.01)


def test_coverage_counts_by_weight_and_an_exact_prediction_without_spread_is_inside() -> None:
    observed = coverage(np.array([0.0, 1.0]), np.zeros(2), np.array([3.0, 1.0]))
    np.testing.assert_allclose(observed, 0.75)


def test_calibration_draws_a_curve_for_each_output() -> None:
    figure = draw_calibration({"u": LEVELS, "v": LEVELS}, {"drag": LEVELS})
    fields, quantities = visible(figure)
    assert (len(fields.lines), len(quantities.lines)) == (3, 2)
    assert len(visible(draw_calibration({}, {"drag": LEVELS}))) == 1


def test_truth_and_prediction_share_their_colours() -> None:
    truth, mean, error, std = panels_of(predicted(1))
    assert truth.colours == mean.colours
    assert error.colours.low == -error.colours.high
    assert std.colours.low == 0


def test_quads_are_split_into_triangles_of_the_same_area() -> None:
    plane = mesh()
    corners = plane.points[triangles_of(plane), :2]
    sides = corners[:, 1:] - corners[:, :1]
    assert 0.5 * np.abs(np.linalg.det(sides)).sum() == pytest.approx(2.0)
    assert len(triangles_of(Mesh.of_point())) == 0


def test_fields_are_drawn_by_matplotlib_where_the_renderer_dies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pyvista.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), str(Path.cwd())]))
    (picture,) = draw_fields([predicted()])
    assert picture.trouble == "it was ended by signal 11"
    panels = [axes for axes in picture.figure.axes if axes.get_title("left")]
    assert len(panels) == 2 * len(KINDS)
    assert all(axes.get_aspect() == 1.0 for axes in panels)
    assert all(len(axes.collections) == 1 for axes in panels)
    assert png(picture.figure).startswith(PNG)


def test_fields_are_drawn_by_pyvista_where_it_can() -> None:
    sample = predicted()
    rendering = render([Scene(sample.solution.mesh, panels_of(sample))])
    if rendering.trouble:
        pytest.skip(f"pyvista cannot draw here: {rendering.trouble}; it needs EGL or OSMesa")
    height, width, _ = rendering.images[0][0].shape
    assert width == pytest.approx(2 * height, abs=2)
    truth, mean, error, _ = rendering.images[0][: len(KINDS)]
    inside = truth[3:-3, 3:-3, :3]
    assert (inside.min(axis=2) < 0.97).all(), "the mesh fills its picture: no white margin"
    assert not np.allclose(truth, mean)
    assert np.ptp(error) > 0


@pytest.mark.parametrize(
    ("unit", "shown"),
    [("1", ""), ("m2/s2", "m²/s²"), ("kg m-3", "kg m⁻³"), ("W/(m^2 K)", "W/(m² K)"), ("m", "m")],
)
def test_units_are_set_as_in_print(unit: str, shown: str) -> None:
    assert pretty_unit(unit) == shown


def test_a_name_with_a_dollar_is_no_formula() -> None:
    assert label("cost_$", "1") == r"cost \$"


@pytest.mark.parametrize(("low", "high"), [(0.01, 0.4), (0.28, 0.36), (1e-6, 10.0), (0.2, 2.0)])
def test_log_ticks_are_a_few_round_numbers_in_range(low: float, high: float) -> None:
    ticks = log_ticks(low, high)
    assert 2 <= len(ticks) <= 8
    assert all(low <= tick <= high for tick in ticks)


def test_ticks_of_many_steps_are_thinned() -> None:
    assert thinned([16, 24, 32], 5) == [16, 24, 32]
    assert len(thinned(range(16, 400, 8), 8)) <= 9
    assert panel_grid(6) == (2, 3)
