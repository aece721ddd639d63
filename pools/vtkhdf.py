"""A solution as one HDF5 file that ParaView, pyvista and h5py all read (VTKHDF 2.2).

The `/VTKHDF` group is VTK's unstructured grid; `/meta` holds the rest as attributes. The format is
described at https://docs.vtk.org/en/latest/vtk_file_formats/vtkhdf_file_format/.
"""

import json
from pathlib import Path

import h5py
import numpy as np

from pools.errors import IntegrityError
from pools.files import publish
from pools.hdf5 import opened
from pools.sample import Sample
from pools.solution import Field, Mesh, Quantity, Solution


def write_solution(path: Path, solution: Solution) -> None:
    """Publish a solution under `path`, whole or not at all."""
    with publish(path) as temporary, h5py.File(temporary, "w") as file:
        _write_grid(file.create_group("VTKHDF"), solution)
        _write_meta(file.create_group("meta"), solution)


def read_solution(path: Path) -> Solution:
    """Read a solution that `write_solution` wrote.

    Raises:
        IntegrityError: the file is missing, damaged, or not a solution.
    """
    try:
        with opened(path) as file:
            return _read(file)
    except (OSError, KeyError, ValueError) as error:
        raise IntegrityError(
            f"cannot read the solution {path}: {error}; run `solverloop check` on the "
            "campaign's directory: it says how to have the sample solved anew"
        ) from error


def _write_grid(group: h5py.Group, solution: Solution) -> None:
    mesh = solution.mesh
    group.attrs["Version"] = np.array([2, 2], dtype=np.int64)
    group.attrs.create("Type", b"UnstructuredGrid", dtype=h5py.string_dtype("ascii", 16))
    group["NumberOfPoints"] = np.array([len(mesh.points)], dtype=np.int64)
    group["NumberOfCells"] = np.array([len(mesh.types)], dtype=np.int64)
    group["NumberOfConnectivityIds"] = np.array([len(mesh.connectivity)], dtype=np.int64)
    group["Points"] = mesh.points
    group["Connectivity"] = mesh.connectivity
    group["Offsets"] = mesh.offsets
    group["Types"] = mesh.types
    points = group.create_group("PointData")
    for name, values in solution.fields.items():
        points[name] = values.values
        points[name].attrs["unit"] = values.unit
    quantities = group.create_group("FieldData")
    for name, quantity in solution.quantities.items():
        quantities[name] = np.array([quantity.value])
        quantities[name].attrs["unit"] = quantity.unit


def _write_meta(group: h5py.Group, solution: Solution) -> None:
    group["weights"] = solution.mesh.weights
    group.attrs["sample"] = solution.sample.id
    if solution.sample.level:
        group.attrs["level"] = solution.sample.level
    group.attrs["parameters"] = json.dumps(dict(solution.sample.parameters))
    group.attrs["fields"] = json.dumps(list(solution.fields))
    group.attrs["quantities"] = json.dumps(list(solution.quantities))
    group.attrs["provenance"] = json.dumps(dict(solution.provenance))
    group.attrs["remark"] = solution.remark
    group.attrs["grade"] = solution.grade


def _read(file: h5py.File) -> Solution:
    grid, meta = file["VTKHDF"], file["meta"]
    mesh = Mesh(
        points=grid["Points"][:],
        connectivity=grid["Connectivity"][:],
        offsets=grid["Offsets"][:],
        types=grid["Types"][:],
        weights=meta["weights"][:],
    )
    fields, quantities = grid["PointData"], grid["FieldData"]
    return Solution(
        sample=_read_sample(meta),
        mesh=mesh,
        fields={
            name: Field(fields[name][:], fields[name].attrs["unit"])
            for name in json.loads(meta.attrs["fields"])
        },
        quantities={
            name: Quantity(float(quantities[name][0]), quantities[name].attrs["unit"])
            for name in json.loads(meta.attrs["quantities"])
        },
        provenance=json.loads(meta.attrs["provenance"]),
        remark=meta.attrs.get("remark", ""),  # files of an earlier version have neither
        grade=meta.attrs.get("grade", ""),
    )


def _read_sample(meta: h5py.Group) -> Sample:
    parameters = json.loads(meta.attrs["parameters"])
    return Sample(meta.attrs["sample"], parameters, meta.attrs.get("level", ""))
