"""Fields of a cheaper level at the points of the finest."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from openfoam_cases import cavity

from pools.pick import Pick
from pools.record import SampleDirectory, SampleRecord
from pools.sample import Sample
from pools.solution import Field, Mesh, Solution
from pools.vtkhdf import read_solution
from solvers.build import build
from solvers.cells import mesh_of_grid
from solvers.label import label_one
from solvers.policy import LabelPolicy
from solvers.resampled import on_mesh
from solvers.settings import ChannelSettings
from solvers.workers import SolverWorkers

OBSTACLE = {
    "reynolds": 20.0,
    "semi_axis_a": 0.06,
    "semi_axis_b": 0.04,
    "angle": 30.0,
    "height": 0.2,
}


def channel(mesh: str) -> Mesh:
    settings = ChannelSettings.model_validate({"mesh": mesh})
    return build(settings).mesh(Sample.of(OBSTACLE, "channel"))


def linear(points: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(points @ [2.0, -3.0, 0.5] + 1)


def solution_on(mesh: Mesh) -> Solution:
    sample = Sample.of(OBSTACLE, "channel")
    return Solution(sample, mesh, {"u": Field(linear(mesh.points), "m/s")}, {})


@pytest.mark.parametrize(
    ("coarse", "fine"),
    [
        (channel("coarse"), channel("medium")),
        (mesh_of_grid([(0, 1)], [5]), mesh_of_grid([(0, 1)], [12])),
        (mesh_of_grid([(0, 1)] * 3, [3] * 3), mesh_of_grid([(0, 1)] * 3, [4] * 3)),
    ],
)
def test_a_linear_field_is_the_same_on_another_mesh(coarse: Mesh, fine: Mesh) -> None:
    moved = on_mesh(solution_on(coarse), fine)
    off = np.abs(moved.fields["u"].values - linear(fine.points))
    assert np.quantile(off, 0.99) < 1e-12  # but at the obstacle, which the coarse mesh rounds off
    assert off.max() < 0.02
    assert moved.mesh is fine
    assert moved.fields["u"].unit == "m/s"


def test_on_its_own_mesh_a_solution_stays_as_it_is() -> None:
    solution = solution_on(mesh_of_grid([(0, 1)], [5]))
    assert on_mesh(solution, mesh_of_grid([(0, 1)], [5])) is solution


def test_beyond_the_mesh_a_field_is_as_at_the_nearest_point() -> None:
    known = mesh_of_grid([(0, 1)] * 2, [3] * 2)
    wider = replace(known, points=2 * known.points)
    moved = on_mesh(solution_on(known), wider).fields["u"].values
    assert moved.max() == pytest.approx(linear(known.points).max())


@pytest.mark.openfoam
def test_a_coarse_openfoam_case_answers_on_the_fine_mesh(tmp_path: Path) -> None:
    settings, reynolds = cavity(cells=15), {"reynolds": 100.0, "aspect": 1.0}
    with SolverWorkers(settings, 1, {"coarse": {"cells": 9}}) as workers:
        for level in ("", "coarse"):
            place = SampleDirectory(tmp_path / f"at{level}")
            record = SampleRecord(Pick(Sample.of(reynolds, "foam", level), "test"), 0)
            label_one(record, place.path, workers, LabelPolicy())
    fine, coarse = (
        read_solution(tmp_path / name / "solution.vtkhdf") for name in ("at", "atcoarse")
    )
    np.testing.assert_array_equal(fine.mesh.points, coarse.mesh.points)
    assert coarse.sample.level == "coarse"
    off = np.abs(fine.fields["u"].values - coarse.fields["u"].values)
    assert 0.001 < off.mean() < 0.1  # the lid moves at 1


def test_meshes_of_other_domains_are_refused() -> None:
    line, plane = mesh_of_grid([(0, 1)], [5]), mesh_of_grid([(0, 1)] * 2, [3] * 2)
    with pytest.raises(ValueError, match="extends along x and the other along x, y"):
        on_mesh(solution_on(line), plane)
