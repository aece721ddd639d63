"""The training pool: immutable HDF5 shards, one per append, read one sample at a time.

A pool grows by a shard and nothing is ever rewritten. Chunks hold one sample each, unfiltered,
and are read through a memory map at the offsets that HDF5 gives: h5py's own single reads are some
ten times slower, its fancy indexing a hundred times. Parameters and quantities, a few numbers a
sample, are kept in memory.
"""

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

import h5py
import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import Dataset

from pools.errors import CampaignError, IntegrityError
from pools.files import publish
from pools.solution import Solution

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class PoolSchema:
    """What the columns of a pool mean.

    Attributes:
        parameters: names of the `d` design parameters.
        quantities: names and units of the `q` quantities of interest.
        fields: names and units of the `c` field channels.
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


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """A few samples at once.

    Attributes:
        parameters: in their own units, shape (m, d).
        quantities: in their own units, shape (m, q).
        fields: in their own units, shape (m, p, c), single precision.
        weights: each point's share of the domain, shape (m, p), single precision.
    """

    parameters: Array
    quantities: Array
    fields: NDArray[np.float32]
    weights: NDArray[np.float32]


class MappedChunks:
    """A dataset with one unfiltered chunk per sample, through a memory map of its file.

    Args:
        dataset: single precision, shape (m, ...).

    Raises:
        IntegrityError: the file is shorter than its chunks.
    """

    def __init__(self, dataset: h5py.Dataset) -> None:
        path = Path(dataset.file.filename)
        count = dataset.id.get_num_chunks() if dataset.chunks else 0  # no chunks: nothing in it
        chunks = [dataset.id.get_chunk_info(index) for index in range(count)]
        self._shape: tuple[int, ...] = dataset.shape[1:]
        self._offsets = [chunk.byte_offset for chunk in chunks]
        self._bytes = np.memmap(path, mode="r")
        if any(chunk.byte_offset + chunk.size > len(self._bytes) for chunk in chunks):
            raise _unreadable(path, "it was cut short")

    def __getitem__(self, index: int) -> NDArray[np.float32]:
        if 0 in self._shape:
            return np.empty(self._shape, np.float32)
        count, offset = math.prod(self._shape), self._offsets[index]
        return np.frombuffer(self._bytes, "<f4", count, offset).reshape(self._shape)


class TrainingPool(Dataset[dict[str, torch.Tensor]]):
    """The labelled samples of some shards, in order; a torch `Dataset`.

    An item is a dict of tensors: `parameters` (d,) and `quantities` (q,) in double precision,
    `fields` (p, c) and `weights` (p,) in single precision, all in physical units.

    Attributes:
        schema: what the columns mean.
        ids: the samples' ids, in the pool's order.
        parameters: in their own units, shape (m, d).
        quantities: in their own units, shape (m, q).

    Args:
        shards: the shard files, in the order of their appending; at least one.

    Raises:
        IntegrityError: a shard is missing or damaged.
        CampaignError: there is none, or they differ in quantities, fields or mesh size.
    """

    def __init__(self, shards: Sequence[Path]) -> None:
        if not shards:
            raise CampaignError("a pool needs a shard; label the initial design and append it")
        self._files = [_open_shard(shard) for shard in shards]
        schemas = [_read_schema(file) for file in self._files]
        for shard, schema in zip(shards, schemas, strict=True):
            if schema != schemas[0]:
                raise CampaignError(
                    f"shard {shard} holds {schema}, but the pool began with {schemas[0]}; "
                    "a pool holds one kind of solution: start another campaign"
                )
        self.schema = schemas[0]
        self.ids = [name.decode() for file in self._files for name in file["ids"][:]]
        self.parameters: Array = np.concatenate([file["parameters"][:] for file in self._files])
        self.quantities: Array = np.concatenate([file["quantities"][:] for file in self._files])
        self._starts = np.cumsum([0, *(len(file["ids"]) for file in self._files)])
        self._fields = [MappedChunks(file["fields"]) for file in self._files]
        self._weights = [MappedChunks(file["weights"]) for file in self._files]

    def __len__(self) -> int:
        return int(self._starts[-1])

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        block = self.read([index])
        return {
            "parameters": torch.from_numpy(block.parameters[0]),
            "quantities": torch.from_numpy(block.quantities[0]),
            "fields": torch.from_numpy(block.fields[0]),
            "weights": torch.from_numpy(block.weights[0]),
        }

    def __getitems__(self, indices: Sequence[int]) -> list[dict[str, torch.Tensor]]:
        return [self[index] for index in indices]

    def read(self, indices: Sequence[int]) -> Block:
        """Read these samples, one chunk each, in the order asked for."""
        fields = np.empty((len(indices), self.schema.points, len(self.schema.fields)), np.float32)
        weights = np.empty((len(indices), self.schema.points), np.float32)
        for row, index in enumerate(indices):
            shard, local = self._locate(index)
            fields[row] = self._fields[shard][local]
            weights[row] = self._weights[shard][local]
        rows = np.asarray(indices)
        return Block(self.parameters[rows], self.quantities[rows], fields, weights)

    def blocks(self, size: int = 32) -> Iterator[Block]:
        """Walk the pool in order, at most `size` samples at a time, so that memory stays flat."""
        for start in range(0, len(self), size):
            yield self.read(range(start, min(start + size, len(self))))

    def close(self) -> None:
        """Close the shards' files; the pool cannot be read afterwards."""
        for file in self._files:
            file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _locate(self, index: int) -> tuple[int, int]:
        if not -len(self) <= index < len(self):
            raise IndexError(f"sample {index} of a pool of {len(self)}")
        wrapped = index % len(self)
        shard = int(np.searchsorted(self._starts, wrapped, side="right")) - 1
        return shard, wrapped - int(self._starts[shard])


def write_shard(path: Path, solutions: Sequence[Solution], parameters: Sequence[str]) -> None:
    """Publish one shard of the pool. Equal solutions give an equal file, byte for byte.

    Args:
        path: the shard's file.
        solutions: at least one, all of one kind (quantities, fields, mesh size).
        parameters: names of the design parameters, in column order.

    Raises:
        CampaignError: the solutions are of different kinds, or there is none.
    """
    if not solutions:
        raise CampaignError(f"no solution to put into {path}; a shard holds at least one")
    schema = PoolSchema.of(solutions[0], parameters)
    for solution in solutions:
        if (found := PoolSchema.of(solution, parameters)) != schema:
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
            [[q.value for q in s.quantities.values()] for s in solutions]
        )
        _write_by_sample(file, "fields", [s.stacked_fields() for s in solutions])
        _write_by_sample(file, "weights", [s.mesh.weights for s in solutions])


def _write_by_sample(file: h5py.File, name: str, arrays: Sequence[Array]) -> None:
    shape = arrays[0].shape
    if 0 in shape:
        file.create_dataset(name, (len(arrays), *shape), dtype="f4")
        return
    dataset = file.create_dataset(name, (len(arrays), *shape), dtype="<f4", chunks=(1, *shape))
    for index, array in enumerate(arrays):
        dataset[index] = array


def _open_shard(path: Path) -> h5py.File:
    try:
        return h5py.File(path, "r")
    except OSError as error:
        raise _unreadable(path, str(error)) from error


def _unreadable(path: Path, why: str) -> IntegrityError:
    return IntegrityError(
        f"cannot read the shard {path}: {why}; run `solverloop check` on the campaign's "
        "directory: it rebuilds the pool from the samples"
    )


def _read_schema(file: h5py.File) -> PoolSchema:
    content = json.loads(file.attrs["schema"])
    return PoolSchema(
        parameters=tuple(content["parameters"]),
        quantities=content["quantities"],
        fields=content["fields"],
        points=content["points"],
    )
