"""The training pool: immutable HDF5 shards, one per append, read one sample at a time.

A pool grows by a shard and nothing is ever rewritten. Chunks hold one sample each and are read by
single reads: h5py's fancy indexing is 48 times slower, its automatic chunks 22 times.
"""

import json
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


class TrainingPool(Dataset[dict[str, torch.Tensor]]):
    """The labelled samples of some shards, in order; a torch `Dataset`.

    An item is a dict of tensors: `parameters` (d,) and `quantities` (q,) in double precision,
    `fields` (p, c) and `weights` (p,) in single precision, all in physical units.

    Args:
        shards: the shard files, in the order of their appending; at least one.

    Raises:
        IntegrityError: a shard is missing or damaged.
        CampaignError: the shards do not have the same quantities, fields and mesh size.
    """

    def __init__(self, shards: Sequence[Path]) -> None:
        self._files = [_open_shard(shard) for shard in shards]
        schemas = [_read_schema(file) for file in self._files]
        for shard, schema in zip(shards, schemas, strict=True):
            if schema != schemas[0]:
                raise CampaignError(
                    f"shard {shard} holds {schema}, but the pool began with {schemas[0]}; "
                    "a pool holds one kind of solution: start another campaign"
                )
        self.schema = schemas[0]
        self._starts = np.cumsum([0, *(len(file["parameters"]) for file in self._files)])
        self._fields = [file["fields"] for file in self._files]
        self._weights = [file["weights"] for file in self._files]

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

    @property
    def ids(self) -> list[str]:
        """The samples' ids, in the pool's order."""
        return [name.decode() for file in self._files for name in file["ids"][:]]

    @property
    def parameters(self) -> Array:
        """All samples' parameters in their own units, shape (m, d)."""
        return np.concatenate([file["parameters"][:] for file in self._files])

    @property
    def quantities(self) -> Array:
        """All samples' quantities of interest in their own units, shape (m, q)."""
        return np.concatenate([file["quantities"][:] for file in self._files])

    def read(self, indices: Sequence[int]) -> Block:
        """Read these samples by single reads, in the order asked for."""
        where = [self._locate(index) for index in indices]
        points, channels = self.schema.points, len(self.schema.fields)
        fields = np.empty((len(where), points, channels), dtype=np.float32)
        weights = np.empty((len(where), points), dtype=np.float32)
        for row, (shard, local) in enumerate(where):
            if channels:
                self._fields[shard].read_direct(fields, np.s_[local], np.s_[row])
            self._weights[shard].read_direct(weights, np.s_[local], np.s_[row])
        return Block(
            parameters=np.stack([self._files[s]["parameters"][i] for s, i in where]),
            quantities=np.stack([self._files[s]["quantities"][i] for s, i in where]),
            fields=fields,
            weights=weights,
        )

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
    dataset = file.create_dataset(name, (len(arrays), *shape), dtype="f4", chunks=(1, *shape))
    for index, array in enumerate(arrays):
        dataset[index] = array


def _open_shard(path: Path) -> h5py.File:
    try:
        return h5py.File(path, "r")
    except OSError as error:
        raise IntegrityError(
            f"cannot read the shard {path}: {error}; run `solverloop check` on the campaign's "
            "directory: it rebuilds the pool from the samples"
        ) from error


def _read_schema(file: h5py.File) -> PoolSchema:
    content = json.loads(file.attrs["schema"])
    return PoolSchema(
        parameters=tuple(content["parameters"]),
        quantities=content["quantities"],
        fields=content["fields"],
        points=content["points"],
    )
