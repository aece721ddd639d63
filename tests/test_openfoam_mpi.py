"""A case on two ranks: cut, solved, put together and read, with the answer of one rank."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from openfoam_cases import cavity

from pools.pick import Pick
from pools.record import SampleRecord
from pools.sample import Sample
from pools.solution import Solution
from pools.vtkhdf import read_solution
from solvers.label import label_one
from solvers.policy import LabelPolicy
from solvers.workers import SolverWorkers

pytestmark = [pytest.mark.slow, pytest.mark.openfoam]

RECORD = SampleRecord(Pick(Sample.of({"reynolds": 100.0, "aspect": 1.0}, "cavity"), "test"), 0)


def solved(ranks: int, directory: Path) -> tuple[Solution, SampleRecord]:
    odd = cavity(cells=21)  # the plane of the quantity then cuts cells, and no faces between ranks
    settings = odd.model_copy(update={"ranks": ranks})
    with SolverWorkers(settings, 1) as workers:
        record = label_one(RECORD, directory, workers, LabelPolicy(timeout_seconds=120))
    return read_solution(directory / "solution.vtkhdf"), record


def test_two_ranks_answer_as_one(tmp_path: Path) -> None:
    if shutil.which("mpirun") is None:
        pytest.skip("there is no mpirun here")
    one, _ = solved(1, tmp_path / "one")
    two, record = solved(2, tmp_path / "two")
    assert one.mesh.points.shape == two.mesh.points.shape
    np.testing.assert_array_equal(one.mesh.connectivity, two.mesh.connectivity)
    for name, field in one.fields.items():  # both end at a residual of 1e-6
        np.testing.assert_allclose(two.fields[name].values, field.values, atol=1e-5)
    lowest = one.quantities["lowest_u"].value
    assert two.quantities["lowest_u"].value == pytest.approx(lowest, rel=1e-5)
    assert two.provenance["ranks"] == 2

    (attempt,) = record.attempts
    ran = [command["command"] for command in attempt.evidence["commands"]]
    assert ran == ["blockMesh", "checkMesh", "decomposePar", "simpleFoam", "reconstructPar"]
    case = tmp_path / "two" / attempt.directory
    times = [place.name for place in case.glob("processor*/*") if place.name.isdigit()]
    assert len(list(case.glob("processor*"))) == 2, "what each rank solved is there"
    assert len(set(times) - {"0"}) == 1, "reconstructed is what both wrote last"
