"""The residual of predicted fields, by one iteration of OpenFOAM."""

import re
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from openfoam_cases import cavity, cavity_copy, cavity_with, replace_in
from scipy.stats import spearmanr

from pools.errors import UsageError
from pools.sample import Sample
from pools.solution import Solution
from pools.space import Parameter, ParameterSpace
from solvers.openfoam.installation import find_installation
from solvers.openfoam.predicted import cell_values
from solvers.openfoam.run import CaseRun
from solvers.openfoam.solver import OpenFOAMSolver
from solvers.policy import LabelPolicy
from solvers.residual import residual_one
from solvers.workers import SolverWorkers

Array = NDArray[np.float64]

pytestmark = pytest.mark.openfoam

AT = {"reynolds": 100.0, "aspect": 1.0}
CAVITY = OpenFOAMSolver(cavity())
SPACE = ParameterSpace(
    {
        "reynolds": Parameter(low=100, high=2000, scale="log"),
        "aspect": Parameter(low=0.5, high=1.5),
    }
)
WHOLE = [[0, 1], [0, 1]]


def sample() -> Sample:
    return Sample.of(AT, "any")


@pytest.fixture(scope="module")
def solved(tmp_path_factory: pytest.TempPathFactory) -> Solution:
    return CAVITY.solve(sample(), tmp_path_factory.mktemp("solved"))


def fresh(directory: Path, name: str = "run") -> Path:
    (place := directory / name).mkdir()
    return place


def noise(solution: Solution, share: float) -> Array:
    """The solution's fields with noise of this share of each one's own spread, shape (p, c)."""
    fields = solution.stacked_fields()
    drawn = np.random.default_rng(0).standard_normal(fields.shape)
    return fields + share * fields.std(axis=0) * drawn


def prepared(solver: OpenFOAMSolver, directory: Path) -> CaseRun:
    run = CaseRun(solver.settings, directory, AT, find_installation())
    run.prepare()
    run.mesh()
    return run


def test_it_is_much_smaller_for_the_solution_than_for_what_is_not(
    solved: Solution, tmp_path: Path
) -> None:
    found = [
        CAVITY.residual(sample(), noise(solved, share), fresh(tmp_path, f"{share}"))
        for share in (0, 0.1, 0.3, 1)
    ]
    assert (np.diff(found) > 0).all()
    assert found[0] < found[2] / 4 < found[3] / 6


def test_what_the_way_to_the_cells_costs_shrinks_with_them(
    solved: Solution, tmp_path: Path
) -> None:
    fine = OpenFOAMSolver(cavity(cells=40))
    answer = fine.solve(sample(), fresh(tmp_path, "fine"))
    own = fine.residual(sample(), answer.stacked_fields(), fresh(tmp_path, "own"))
    coarse = CAVITY.residual(sample(), solved.stacked_fields(), fresh(tmp_path, "coarse"))
    assert own < 0.85 * coarse


def test_a_linear_field_reaches_the_cells_exactly(tmp_path: Path) -> None:
    run = prepared(CAVITY, tmp_path)
    points = CAVITY.mesh(sample()).points
    cells = cell_values(run, np.column_stack([points[:, 0], points[:, 1], 1 + 0 * points[:, 0]]))
    centres = (np.arange(20) + 0.5) / 20
    assert cells.inside.all()
    across, along = cells.values["u"].reshape(20, 20), cells.values["v"].reshape(20, 20)
    np.testing.assert_allclose(across, np.tile(centres, (20, 1)), 1e-5)
    np.testing.assert_allclose(along.T, np.tile(centres, (20, 1)), 1e-5)
    np.testing.assert_allclose(cells.values["p"], 1)


def test_fields_on_a_grid_will_do(solved: Solution, tmp_path: Path) -> None:
    solver = OpenFOAMSolver(cavity_with({"resample": {"bounds": WHOLE, "shape": [41, 41]}}))
    answer = solver.solve(sample(), fresh(tmp_path, "solve"))
    own = solver.residual(sample(), answer.stacked_fields(), fresh(tmp_path, "own"))
    wrong = solver.residual(sample(), noise(answer, 1), fresh(tmp_path, "wrong"))
    plain = CAVITY.residual(sample(), solved.stacked_fields(), fresh(tmp_path, "plain"))
    assert own < 1.5 * plain < wrong / 3


def test_cells_beyond_the_grid_keep_the_initial_value(tmp_path: Path) -> None:
    part = {"bounds": [[0, 0.5], [0, 1]], "shape": [21, 41]}
    template = cavity_copy(tmp_path)
    replace_in(template / "0" / "U", "uniform (0 0 0)", "uniform (0.25 0.5 0)")
    solver = OpenFOAMSolver(cavity_with({"resample": part}, template))
    points = len(solver.mesh(sample()).points)
    solver.residual(sample(), np.tile([2.0, 3.0, 4.0], (points, 1)), case := fresh(tmp_path))
    assert written(case / "0" / "U").reshape(20, 20, 3)[7, [9, 10]].tolist() == [
        [2, 3, 0],
        [0.25, 0.5, 0],
    ]
    assert written(case / "0" / "p").reshape(20, 20)[7, [9, 10]].tolist() == [4, 0]


def written(field: Path) -> Array:
    """The numbers of a field's inner values."""
    inner = field.read_text().partition("nonuniform")[2].partition("\n(")[2].partition(");")[0]
    return np.array(inner.replace("(", " ").replace(")", " ").split(), dtype=np.float64)


def test_patches_that_take_the_inner_value_by_name_keep_the_uniform_one(
    solved: Solution, tmp_path: Path
) -> None:
    template = cavity_copy(tmp_path)
    replace_in(template / "0" / "U", "uniform (1 0 0);", "$internalField;")
    replace_in(template / "0" / "U", "   uniform (0 0 0)", "   uniform (1 0 0)")
    solver = OpenFOAMSolver(cavity_with({}, template))
    fields = solved.stacked_fields()
    same = solver.residual(sample(), fields, case := fresh(tmp_path))
    assert same == pytest.approx(CAVITY.residual(sample(), fields, fresh(tmp_path, "plain")))
    text = (case / "0" / "U").read_text()
    assert re.search(r"value\s+uniform\s+\(\s*1 0 0\s*\);", text), text[-600:]


def test_it_runs_on_one_core_whatever_a_solve_runs_on(solved: Solution, tmp_path: Path) -> None:
    fields = solved.stacked_fields()
    parallel = OpenFOAMSolver(cavity_with({"ranks": 2}))
    found = parallel.residual(sample(), fields, fresh(tmp_path))
    assert found == CAVITY.residual(sample(), fields, fresh(tmp_path, "serial"))
    assert not list((tmp_path / "run").glob("processor*"))


def test_under_the_supervisor_it_leaves_nothing_and_failure_is_nan(
    solved: Solution, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fields = solved.stacked_fields()
    expected = CAVITY.residual(sample(), fields, fresh(tmp_path, "expected"))
    monkeypatch.setattr(tempfile, "tempdir", str(fresh(tmp_path, "tmp")))
    with SolverWorkers(CAVITY.settings, 1) as workers:
        good = residual_one(sample(), fields, workers, LabelPolicy())
        bad = residual_one(sample(), fields * 1e200, workers, LabelPolicy())
    assert (good.value, good.remark) == (expected, "")
    assert good.seconds > 0
    assert np.isnan(bad.value)
    assert bad.remark.startswith("diverged: simpleFoam met a number that is not finite")
    assert list((tmp_path / "tmp").iterdir()) == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"region": ["lid"]}, "needs region: internal"),
        ({"fields": {"speed": {"field": "U", "component": "magnitude"}}}, "fields.speed is a mag"),
    ],
)
def test_what_no_run_can_begin_from_is_refused(
    changes: dict[str, Any], words: str, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=words):
        OpenFOAMSolver(cavity_with(changes)).residual(sample(), np.zeros((4, 1)), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_transient_case_is_refused(tmp_path: Path) -> None:
    template = cavity_copy(tmp_path)
    replace_in(template / "system" / "fvSchemes", "steadyState", "Euler")
    solver = OpenFOAMSolver(cavity_with({}, template))
    with pytest.raises(UsageError, match="needs a steady case"):
        solver.residual(sample(), np.zeros((4, 3)), fresh(tmp_path))


def test_an_initial_field_that_is_not_uniform_is_refused(solved: Solution, tmp_path: Path) -> None:
    template = cavity_copy(tmp_path)
    old = "internalField   uniform (0 0 0)"
    replace_in(template / "0" / "U", old, "internalField nonuniform List<vector> 1((0 0 0))")
    solver = OpenFOAMSolver(cavity_with({}, template))
    with pytest.raises(UsageError, match="0/U has no uniform internalField"):
        solver.residual(sample(), solved.stacked_fields(), fresh(tmp_path))


@pytest.mark.slow
def test_it_ranks_samples_as_the_error_of_a_poor_surrogate_does(tmp_path: Path) -> None:
    solver = OpenFOAMSolver(cavity(iterations=3000))
    rows = SPACE.sobol(20, seed=2)
    samples = [Sample.of(dict(zip(SPACE.names, row.tolist(), strict=True)), "") for row in rows]
    answers = [solver.solve(each, fresh(tmp_path, each.id)) for each in samples]
    fields, unit = np.stack([each.stacked_fields() for each in answers]), SPACE.normalise(rows)
    errors, residuals = [], []
    for at, each, truth in zip(unit[8:], samples[8:], fields[8:], strict=True):
        near = 1 / np.linalg.norm(unit[:8] - at, axis=1) ** 3
        predicted = np.tensordot(near / near.sum(), fields[:8], axes=1)  # (p, 3)
        errors.append(np.linalg.norm((predicted - truth) / fields.std(axis=(0, 1))))
        residuals.append(solver.residual(each, predicted, fresh(tmp_path, f"{each.id}-residual")))
    assert spearmanr(errors, residuals).statistic > 0.5


def test_an_initial_field_that_nothing_can_be_put_into_is_refused(
    solved: Solution, tmp_path: Path
) -> None:
    template = cavity_copy(tmp_path)
    replace_in(template / "0" / "U", "internalField   uniform", "  internalField   uniform")
    solver = OpenFOAMSolver(cavity_with({}, template))
    with pytest.raises(UsageError, match="0/U: it must be there uncompressed"):
        solver.residual(sample(), solved.stacked_fields(), fresh(tmp_path))


def test_fields_of_another_shape_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"shape \(7, 3\); the residual needs u, v, p"):
        CAVITY.residual(sample(), np.zeros((7, 3)), fresh(tmp_path))
