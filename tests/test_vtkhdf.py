"""The sample's file: read by h5py, by VTK and by us."""

from pathlib import Path

import h5py
import numpy as np
import pytest
import pyvista
from pool_examples import grid, solution

from pools.errors import IntegrityError
from pools.sample import Sample
from pools.solution import Mesh, Quantity, Solution
from pools.vtkhdf import read_solution, write_solution


def test_what_is_written_is_read(tmp_path: Path) -> None:
    written = solution(1.5, -2.0)
    write_solution(tmp_path / "s.vtkhdf", written)
    read = read_solution(tmp_path / "s.vtkhdf")
    assert read.sample == written.sample
    assert read.quantities == written.quantities
    assert read.provenance == written.provenance
    assert list(read.fields) == ["u", "p"]
    np.testing.assert_array_equal(read.stacked_fields(), written.stacked_fields())
    for name in ("points", "connectivity", "offsets", "types", "weights"):
        np.testing.assert_array_equal(getattr(read.mesh, name), getattr(written.mesh, name))


def test_vtk_reads_it(tmp_path: Path) -> None:
    write_solution(tmp_path / "s.vtkhdf", solution(1.5, -2.0))
    mesh = pyvista.read(tmp_path / "s.vtkhdf")
    assert (mesh.n_points, mesh.n_cells) == (20, 12)
    np.testing.assert_array_equal(mesh.point_data["u"], solution(1.5, -2.0).fields["u"].values)
    assert mesh.field_data["drag"][0] == -18.5
    assert mesh.compute_cell_sizes().cell_data["Area"].sum() == pytest.approx(12.0)


def test_h5py_reads_it(tmp_path: Path) -> None:
    write_solution(tmp_path / "s.vtkhdf", solution(1.5))
    with h5py.File(tmp_path / "s.vtkhdf") as file:
        assert file["VTKHDF/PointData/p"].attrs["unit"] == "m2/s2"
        assert file["meta"].attrs["sample"] == solution(1.5).sample.id


def test_a_solution_without_fields(tmp_path: Path) -> None:
    scalar = Solution(Sample.of({"x": 1}, "s"), Mesh.of_point(), {}, {"y": Quantity(2.0, "m")})
    write_solution(tmp_path / "s.vtkhdf", scalar)
    assert read_solution(tmp_path / "s.vtkhdf").stacked_fields().shape == (1, 0)
    assert pyvista.read(tmp_path / "s.vtkhdf").n_points == 1


def test_weights_are_shares_of_the_area() -> None:
    mesh = grid(4, 3)
    assert mesh.weights.sum() == pytest.approx(1.0)
    assert mesh.weights[0] == pytest.approx(0.25 / 12)
    assert mesh.weights[6] == pytest.approx(1 / 12)


@pytest.mark.parametrize("content", [b"", b"not HDF5 at all"])
def test_a_damaged_file_is_explained(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "s.vtkhdf").write_bytes(content)
    with pytest.raises(IntegrityError, match="solved anew"):
        read_solution(tmp_path / "s.vtkhdf")


def test_another_hdf5_file_is_explained(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "s.vtkhdf", "w") as file:
        file["a"] = 1
    with pytest.raises(IntegrityError, match="cannot read the solution"):
        read_solution(tmp_path / "s.vtkhdf")
