"""The training pool: immutable shards, one per append, read one sample at a time.

A pool grows by a shard and nothing is ever rewritten. Parameters and quantities, a few numbers a
sample, are kept in memory; fields are read when they are asked for, and no more than some files
are open however many shards there are.
"""

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import Dataset

from pools.errors import CampaignError
from pools.shard import Shard

Array = NDArray[np.float64]

_MAPPED = 64  # shards whose files are open at once


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

    Attributes:
        schema: what the columns mean.
        ids: the samples' ids, in the pool's order.
        parameters: in their own units, shape (m, d).
        quantities: in their own units, shape (m, q).
        levels: the cheaper level of the solver that answered each; empty for the solver itself.

    Args:
        shards: the shard files, in the order of their appending; at least one.

    Raises:
        IntegrityError: a shard is missing or damaged.
        CampaignError: there is none, or they differ in quantities, fields or mesh size.
    """

    def __init__(self, shards: Sequence[Path]) -> None:
        if not shards:
            raise CampaignError("a pool needs a shard; label the initial design and append it")
        self._shards = [Shard.open(shard) for shard in shards]
        self.schema = self._shards[0].schema
        for shard in self._shards:
            if shard.schema != self.schema:
                raise CampaignError(
                    f"shard {shard.path} holds {shard.schema}, but the pool began with "
                    f"{self.schema}; a pool holds one kind of solution: start another campaign"
                )
        self.ids = [name for shard in self._shards for name in shard.ids]
        self.levels = [level for shard in self._shards for level in shard.levels]
        self.parameters: Array = np.concatenate([shard.parameters for shard in self._shards])
        self.quantities: Array = np.concatenate([shard.quantities for shard in self._shards])
        self._starts = np.cumsum([0, *(len(shard.ids) for shard in self._shards)])
        self._mapped: OrderedDict[int, NDArray[np.uint8]] = OrderedDict()

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
            fields[row], weights[row] = self._shards[shard].read(self._map(shard), local)
        rows = np.asarray(indices)
        return Block(self.parameters[rows], self.quantities[rows], fields, weights)

    def blocks(self, size: int = 32) -> Iterator[Block]:
        """Walk the pool in order, at most `size` samples at a time, so that memory stays flat."""
        for start in range(0, len(self), size):
            yield self.read(range(start, min(start + size, len(self))))

    @property
    def finest(self) -> NDArray[np.bool_]:
        """Which samples the solver itself answered, none of its cheaper levels, shape (m,)."""
        return np.array([not level for level in self.levels])

    def close(self) -> None:
        """Let go of the shards' files; the next read opens them again."""
        self._mapped.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _map(self, shard: int) -> NDArray[np.uint8]:
        """Return a shard's file as mapped memory; the shards read last stay mapped."""
        if shard not in self._mapped:
            self._mapped[shard] = np.memmap(self._shards[shard].path, mode="r")
            if len(self._mapped) > _MAPPED:
                self._mapped.popitem(last=False)
        self._mapped.move_to_end(shard)
        return self._mapped[shard]

    def _locate(self, index: int) -> tuple[int, int]:
        if not -len(self) <= index < len(self):
            raise IndexError(f"sample {index} of a pool of {len(self)}")
        wrapped = index % len(self)
        shard = int(np.searchsorted(self._starts, wrapped, side="right")) - 1
        return shard, wrapped - int(self._starts[shard])
