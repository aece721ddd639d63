"""What every solver promises, walked over every solver that ships."""

import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from openfoam_cases import cavity

from pools.errors import SolverError
from pools.outcome import Outcome
from pools.sample import Sample
from pools.solution import Mesh, Solution
from pools.vtkhdf import read_solution, write_solution
from solvers.build import build
from solvers.command_settings import CommandSettings
from solvers.fault import fault
from solvers.protocol import Solver
from solvers.settings import AnalyticSettings, ChannelSettings, CombinedSettings, SolverSettings


@dataclass(frozen=True)
class Case:
    """One solver, two samples that it answers, one that it does not, and other numerics."""

    settings: SolverSettings
    first: Mapping[str, float]
    second: Mapping[str, float]
    failing: Mapping[str, float]
    failure: Outcome
    other_numerics: SolverSettings
    warm: float = 1e-7  # how near the answer from another start is, relative


_CIRCLE = {
    "reynolds": 20.0,
    "semi_axis_a": 0.05,
    "semi_axis_b": 0.05,
    "angle": 0.0,
    "height": 0.2,
}

_WAVES = {
    "alpha": 2.0,
    "beta": 0.2,
    "gamma": 0.5,
    "amplitude": 0.8,
    "mix": 0.4,
    "phase": 1.0,
}


def _analytic(problem: str, *names: str) -> Case:
    settings = {"problem": problem, "fails_above": 0.9}
    return Case(
        settings=AnalyticSettings.model_validate(settings),
        first=dict.fromkeys(names, 0.25),
        second=dict.fromkeys(names, 0.75),
        failing=dict.fromkeys(names, 1.0),
        failure=Outcome.DIVERGED,
        other_numerics=AnalyticSettings.model_validate(settings | {"fails_above": 0.8}),
    )


def _command(command: Sequence[str | Path], first: Mapping[str, float], **settings: Any) -> Case:
    declared = {
        "command": tuple(map(str, command)),
        "parameters": dict.fromkeys(first, "1"),
        "exit_codes": {3: "diverged", 4: "mesh"},
        **settings,
    }
    return Case(
        settings=CommandSettings.model_validate(declared),
        first=first,
        second={name: 0.75 * value for name, value in first.items()},
        failing={name: 4 * value for name, value in first.items()},
        failure=Outcome.MESH if "grid" in settings else Outcome.DIVERGED,
        other_numerics=CommandSettings.model_validate({**declared, "version": "2"}),
    )


_PROGRAM = (sys.executable, Path(__file__).with_name("command_program.py"), "--fails-above=0.9")

CASES = {
    "openfoam": Case(
        settings=cavity(cells=12),
        first={"reynolds": 100.0, "aspect": 1.0},
        second={"reynolds": 200.0, "aspect": 1.2},
        failing={"reynolds": 1e6, "aspect": 1.0},
        failure=Outcome.DIVERGED,
        other_numerics=cavity(cells=12, scheme="upwind"),
        warm=1e-3,
    ),
    "channel": Case(
        settings=ChannelSettings(),
        first=_CIRCLE,
        second=_CIRCLE | {"reynolds": 60.0, "semi_axis_a": 0.07, "angle": 30.0, "height": 0.25},
        failing=_CIRCLE | {"height": 0.03},
        failure=Outcome.MESH,
        other_numerics=ChannelSettings(tolerance=1e-8),
    ),
    "analytic-wave": _analytic("wave", "length", "phase"),
    "analytic-local": _analytic("local", "x1", "x2", "x3", "x4"),
    "analytic-shock": _analytic("shock", "place", "tilt", "width", "strength"),
    "analytic-friedman": _analytic("friedman", *(f"x{i}" for i in range(1, 11))),
    "combined": Case(
        settings=CombinedSettings(),
        first=_WAVES,
        second=_WAVES | {"alpha": 0.5, "mix": 0.1},
        failing=_WAVES | {"alpha": 3.0, "beta": 0.0, "gamma": 0.0},
        failure=Outcome.NOT_CONVERGED,
        other_numerics=CombinedSettings(steps=64),
    ),
    "command-quantities": _command(_PROGRAM, {"x": 0.5, "y": 1.0}, quantities={"sum": "1"}),
    "command-grid": _command(
        [Path(__file__).parents[1] / "examples" / "command_solver.py"],
        {"speed": 0.01, "warmth": 10.0, "start": 0.01},
        input_layout={"flow": ["speed"], "wall": ["warmth", "start"]},
        grid={"bounds": [[0, 0.05], [0, 0.01]], "shape": [65, 25]},
        fields={"temperature": "K"},
        quantities={"bulk": {"key": "outlet/bulk", "unit": "K"}},
    ),
}


@dataclass(frozen=True)
class Solved:
    case: Case
    solver: Solver
    first: Solution
    second: Solution


def _marks(name: str) -> list[pytest.MarkDecorator]:
    return [pytest.mark.openfoam] if name.startswith("openfoam") else []


@pytest.fixture(scope="module", params=[pytest.param(n, id=n, marks=_marks(n)) for n in CASES])
def solved(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Solved:
    case = CASES[request.param]
    solver = build(case.settings)
    answers = [
        solver.solve(
            Sample.of(parameters, solver.fingerprint), tmp_path_factory.mktemp(request.param)
        )
        for parameters in (case.first, case.second)
    ]
    return Solved(case, solver, *answers)


def assert_same_mesh(mesh: Mesh, other: Mesh) -> None:
    np.testing.assert_array_equal(mesh.points, other.points)
    np.testing.assert_array_equal(mesh.weights, other.weights)
    assert_same_topology(mesh, other)


def assert_same_topology(mesh: Mesh, other: Mesh) -> None:
    np.testing.assert_array_equal(mesh.connectivity, other.connectivity)
    np.testing.assert_array_equal(mesh.offsets, other.offsets)
    np.testing.assert_array_equal(mesh.types, other.types)


def test_parameters_are_those_of_its_samples(solved: Solved) -> None:
    assert set(solved.solver.parameters) == set(solved.case.first)


def test_fields_and_quantities_are_those_it_declares(solved: Solved) -> None:
    for solution in (solved.first, solved.second):
        fields = {name: field.unit for name, field in solution.fields.items()}
        quantities = {name: quantity.unit for name, quantity in solution.quantities.items()}
        assert list(fields.items()) == list(solved.solver.fields.items())
        assert list(quantities.items()) == list(solved.solver.quantities.items())


def test_answers_are_without_fault(solved: Solved) -> None:
    for solution in (solved.first, solved.second):
        assert fault(solved.solver, solution.sample, solution) == ""


def test_fields_live_at_the_points_and_are_finite(solved: Solved) -> None:
    for solution in (solved.first, solved.second):
        stacked = solution.stacked_fields()
        assert stacked.shape == (len(solution.mesh.points), len(solved.solver.fields))
        assert np.isfinite(stacked).all()
        assert np.isfinite([quantity.value for quantity in solution.quantities.values()]).all()


def test_samples_differ_in_their_answers_and_share_the_topology(solved: Solved) -> None:
    assert_same_topology(solved.first.mesh, solved.second.mesh)
    for name, quantity in solved.first.quantities.items():
        assert quantity.value != solved.second.quantities[name].value


def test_weights_sum_to_one(solved: Solved) -> None:
    assert solved.second.mesh.weights.sum() == pytest.approx(1)
    assert (solved.second.mesh.weights > 0).all()


def test_same_sample_has_the_same_answer_to_the_last_bit(solved: Solved, tmp_path: Path) -> None:
    again = build(solved.case.settings).solve(solved.second.sample, tmp_path)
    np.testing.assert_array_equal(again.stacked_fields(), solved.second.stacked_fields())
    assert again.quantities == solved.second.quantities
    assert again.provenance == solved.second.provenance
    assert_same_mesh(again.mesh, solved.second.mesh)


def test_mesh_is_that_of_the_solution(solved: Solved) -> None:
    assert_same_mesh(solved.solver.mesh(solved.second.sample), solved.second.mesh)


def test_an_initial_solution_leads_to_the_same_answer(solved: Solved, tmp_path: Path) -> None:
    warm = solved.solver.solve(solved.second.sample, tmp_path, initial=solved.first)
    for name, quantity in solved.second.quantities.items():
        assert warm.quantities[name].value == pytest.approx(quantity.value, rel=solved.case.warm)


def test_solution_survives_a_file(solved: Solved, tmp_path: Path) -> None:
    write_solution(tmp_path / "solution.vtkhdf", solved.first)
    read = read_solution(tmp_path / "solution.vtkhdf")
    np.testing.assert_array_equal(read.stacked_fields(), solved.first.stacked_fields())
    assert read.provenance == solved.first.provenance


def test_fingerprint_tells_numerics_apart_and_nothing_else(solved: Solved) -> None:
    assert build(solved.case.settings).fingerprint == solved.solver.fingerprint
    assert build(solved.case.other_numerics).fingerprint != solved.solver.fingerprint


def test_failure_carries_outcome_directory_and_log(solved: Solved, tmp_path: Path) -> None:
    with pytest.raises(SolverError) as caught:
        solved.solver.solve(Sample.of(solved.case.failing, "any"), tmp_path)
    assert caught.value.outcome is solved.case.failure
    assert caught.value.directory == tmp_path
    assert caught.value.reason in caught.value.log_tail
    assert any(tmp_path.iterdir())


def test_settings_load_no_solver() -> None:
    code = "import sys, solvers.build; print('skfem' in sys.modules, 'scipy' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["False", "False"]
