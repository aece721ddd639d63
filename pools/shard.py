"""One shard of the training pool: an immutable HDF5 file, one chunk a sample.

Chunks are unfiltered, so that a sample is read through a memory map at the offset that HDF5 gives:
h5py's own single reads are some ten times slower, its fancy indexing a hundred times.
"""

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

import h5py
import numpy as np
from numpy.typing import NDArray

from pools.errors import CampaignError, IntegrityError
from pools.files import publish
from pools.hdf5 import opened
from pools.solution import Solution

Array = NDArray[np.float64]
Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class PoolSchema:
    """What the columns of a pool mean. Schemas are equal if their columns are in one order too.

    Attributes:
        parameters: names of the `d` design parameters.
        quantities: names and units of the `q` quantities of interest, in column order.
        fields: names and units of the `c` field channels, in column order.
        points: number `p` of mesh points of every sample.
    """

    parameters: tuple[str, ...]
    quantities: dict[str, str]
    fields: dict[str, str]
    points: int

    @classmethod
    def of(cls, solution: Solution, parameters: Sequence[str]) -> Self:
        """Read the schema off a solution."""
        return cls(
            parameters=tuple(parameters),
            quantities={name: q.unit for name, q in solution.quantities.items()},
            fields={name: f.unit for name, f in solution.fields.items()},
            points=len(solution.mesh.points),
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PoolSchema) and self._columns() == other._columns()

    def __hash__(self) -> int:
        return hash(self._columns())

    def holds(self, other: "PoolSchema") -> bool:
        """Whether columns of the other kind can be put into this one's order by name."""
        own = (self.parameters, self.quantities, self.fields, self.points)  # dicts ignore order
        return own == (other.parameters, other.quantities, other.fields, other.points)

    def _columns(self) -> tuple[object, ...]:
        quantities, fields = tuple(self.quantities.items()), tuple(self.fields.items())
        return self.parameters, quantities, fields, self.points


@dataclass(frozen=True, slots=True, eq=False)
class Shard:
    """What is kept in memory of a shard: all but its fields and weights.

    Attributes:
        path: its file.
        schema: what its columns mean.
        ids: the samples' ids.
        parameters: in their own units, shape (m, d).
        quantities: in their own units, shape (m, q).
        fields: where each sample's fields begin in the file, in bytes; empty without fields.
        weights: where each sample's weights begin.
        levels: the cheaper level of the solver that answered each; empty for the solver itself.
    """

    path: Path
    schema: PoolSchema
    ids: list[str]
    parameters: Array
    quantities: Array
    fields: list[int]
    weights: list[int]
    levels: list[str]

    @classmethod
    def open(cls, path: Path) -> Self:
        """Read a shard's numbers and offsets; no file stays open.

        Raises:
            IntegrityError: it is missing, damaged, or shorter than its chunks.
        """
        try:
            with opened(path) as file:
                shard = cls(
                    path=path,
                    schema=_read_schema(file),
                    ids=[name.decode() for name in file["ids"][:]],
                    parameters=file["parameters"][:],
                    quantities=file["quantities"][:],
                    fields=_offsets(file["fields"]),
                    weights=_offsets(file["weights"]),
                    levels=_read_levels(file),
                )
        except (OSError, KeyError, ValueError, RuntimeError) as error:
            raise _unreadable(path, str(error)) from error
        if path.stat().st_size < max([*shard._ends(), 0]):
            raise _unreadable(path, "it was cut short")
        return shard

    def read(self, content: NDArray[np.uint8], row: int) -> tuple[Floats, Floats]:
        """Return a sample's fields (p, c) and weights (p,) from the mapped file."""
        shape = (self.schema.points, len(self.schema.fields))
        fields = (
            _floats(content, self.fields[row], shape)
            if self.fields
            else np.empty(shape, np.float32)
        )
        return fields, _floats(content, self.weights[row], shape[:1])

    def _ends(self) -> list[int]:
        points, channels = self.schema.points, len(self.schema.fields)
        size = np.dtype(np.float32).itemsize * points
        ends = [offset + size * channels for offset in self.fields]
        return [*ends, *(offset + size for offset in self.weights)]


def write_shard(path: Path, solutions: Sequence[Solution], parameters: Sequence[str]) -> None:
    """Publish one shard of the pool. Equal solutions give an equal file, byte for byte.

    Args:
        path: the shard's file.
        solutions: at least one, all of one kind (quantities, fields, mesh size); the columns are
            in the first one's order.
        parameters: names of the design parameters, in column order.

    Raises:
        CampaignError: the solutions are of different kinds, or there is none.
    """
    if not solutions:
        raise CampaignError(f"no solution to put into {path}; a shard holds at least one")
    schema = PoolSchema.of(solutions[0], parameters)
    for solution in solutions:
        if not schema.holds(found := PoolSchema.of(solution, parameters)):
            raise CampaignError(
                f"sample {solution.sample.id} answered {found}, the one before {schema}; all "
                "samples of a pool have the same quantities, fields and mesh points: resample "
                "the fields to a common grid"
            )
    with publish(path) as temporary, h5py.File(temporary, "w") as file:
        file.attrs["schema"] = json.dumps(asdict(schema))
        file["ids"] = np.array([s.sample.id.encode() for s in solutions])
        file["parameters"] = np.stack([s.sample.row(parameters) for s in solutions])
        file["quantities"] = np.array(
            [[s.quantities[name].value for name in schema.quantities] for s in solutions]
        )
        if any(s.sample.level for s in solutions):
            file["levels"] = np.array([s.sample.level.encode() for s in solutions])
        _write_by_sample(file, "fields", [s.stacked_fields(schema.fields) for s in solutions])
        _write_by_sample(file, "weights", [s.mesh.weights for s in solutions])


def _write_by_sample(file: h5py.File, name: str, arrays: Sequence[Array]) -> None:
    shape = arrays[0].shape
    if 0 in shape:
        file.create_dataset(name, (len(arrays), *shape), dtype="f4")
        return
    dataset = file.create_dataset(name, (len(arrays), *shape), dtype="<f4", chunks=(1, *shape))
    for index, array in enumerate(arrays):
        dataset[index] = array


def _offsets(dataset: h5py.Dataset) -> list[int]:
    """Return where each sample begins in the file, in bytes; nothing where they are empty."""
    chunks: list[h5py.h5d.StoreInfo] = []
    if dataset.chunks:
        dataset.id.chunk_iter(chunks.append)  # asking for one after the other is quadratic
    return [c.byte_offset for c in sorted(chunks, key=lambda c: c.chunk_offset)]


def _floats(content: NDArray[np.uint8], offset: int, shape: tuple[int, ...]) -> Floats:
    return np.frombuffer(content, "<f4", math.prod(shape), offset).reshape(shape)


def _unreadable(path: Path, why: str) -> IntegrityError:
    return IntegrityError(
        f"cannot read the shard {path}: {why}; run `solverloop check` on the campaign's "
        "directory: it rebuilds the pool from the samples"
    )


def _read_levels(file: h5py.File) -> list[str]:
    """Return each sample's level; a shard of a solver without levels does not tell of them."""
    if "levels" not in file:
        return [""] * len(file["ids"])
    return [name.decode() for name in file["levels"][:]]


def _read_schema(file: h5py.File) -> PoolSchema:
    content = json.loads(file.attrs["schema"])
    return PoolSchema(
        parameters=tuple(content["parameters"]),
        quantities=content["quantities"],
        fields=content["fields"],
        points=content["points"],
    )
