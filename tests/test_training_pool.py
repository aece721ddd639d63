"""The training pool: shards that are never rewritten, read one sample at a time."""

from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch
from pool_examples import grid, solution
from torch.utils.data import DataLoader

from pools.errors import CampaignError, IntegrityError
from pools.files import digest
from pools.sample import Sample
from pools.shard import PoolSchema, write_shard
from pools.solution import Field, Mesh, Quantity, Solution
from pools.training import TrainingPool

NAMES = ("x", "y")


@pytest.fixture
def shards(tmp_path: Path) -> list[Path]:
    values = [[1.0, 2.0, 3.0], [4.0], [5.0, 6.0]]
    files = [tmp_path / f"{index}.h5" for index in range(len(values))]
    for file, xs in zip(files, values, strict=True):
        write_shard(file, [solution(x, -x) for x in xs], NAMES)
    return files


def test_items_keep_the_order_of_appending(shards: list[Path]) -> None:
    with TrainingPool(shards) as pool:
        assert len(pool) == 6
        assert [float(pool[i]["parameters"][0]) for i in range(6)] == [1, 2, 3, 4, 5, 6]
        assert pool.ids == [solution(x, -x).sample.id for x in (1.0, 2.0, 3.0, 4.0, 5.0, 6.0)]


def test_an_item_is_what_the_solver_answered(shards: list[Path]) -> None:
    with TrainingPool(shards) as pool:
        item = pool[4]
    expected = solution(5.0, -5.0)
    np.testing.assert_allclose(item["fields"], expected.stacked_fields(), rtol=1e-6)
    np.testing.assert_allclose(item["weights"], expected.mesh.weights, rtol=1e-6)
    assert item["quantities"].tolist() == [-45.0]
    assert item["fields"].dtype == torch.float32
    assert item["parameters"].dtype == torch.float64


def test_negative_indices_and_the_end(shards: list[Path]) -> None:
    with TrainingPool(shards) as pool:
        assert float(pool[-1]["parameters"][0]) == 6
        with pytest.raises(IndexError, match="sample 6 of a pool of 6"):
            pool[6]


def test_blocks_cross_shards(shards: list[Path]) -> None:
    with TrainingPool(shards) as pool:
        blocks = list(pool.blocks(4))
        assert [len(block.parameters) for block in blocks] == [4, 2]
        joined = np.concatenate([block.parameters for block in blocks])
        np.testing.assert_array_equal(joined, pool.parameters)
        assert blocks[0].fields.shape == (4, 20, 2)


def test_a_torch_loader_reads_it(shards: list[Path]) -> None:
    with TrainingPool(shards) as pool:
        loader = DataLoader(pool, batch_size=4, shuffle=False)
        assert [len(batch["fields"]) for batch in loader] == [4, 2]


def test_equal_solutions_give_equal_files(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_shard(tmp_path / name, [solution(1.0), solution(2.0)], NAMES)
    assert digest(tmp_path / "a") == digest(tmp_path / "b")


def test_a_chunk_is_one_sample(shards: list[Path]) -> None:
    with h5py.File(shards[0]) as file:
        assert file["fields"].chunks == (1, 20, 2)


def test_scalar_solutions_need_no_fields(tmp_path: Path) -> None:
    scalar = Solution(Sample.of({"x": 1}, "s"), Mesh.of_point(), {}, {"q": Quantity(2.0, "m")})
    write_shard(tmp_path / "a", [scalar], ("x",))
    with TrainingPool([tmp_path / "a"]) as pool:
        assert pool[0]["fields"].shape == (1, 0)
        assert pool.schema.quantities == {"q": "m"}


def test_one_shard_holds_one_kind(tmp_path: Path) -> None:
    other = solution(2.0, mesh=grid(5, 5))
    with pytest.raises(CampaignError, match="resample the fields to a common grid"):
        write_shard(tmp_path / "a", [solution(1.0), other], NAMES)
    assert not (tmp_path / "a").exists()


def test_one_pool_holds_one_kind(tmp_path: Path) -> None:
    write_shard(tmp_path / "a", [solution(1.0)], NAMES)
    write_shard(tmp_path / "b", [solution(2.0, mesh=grid(5, 5))], NAMES)
    with pytest.raises(CampaignError, match="start another campaign"):
        TrainingPool([tmp_path / "a", tmp_path / "b"])


def told(x: float, *, backwards: bool = False) -> Solution:
    """Return a solution of two quantities and two fields, told in one order or the other."""
    quantities = {"drag": Quantity(100 + x, "1"), "lift": Quantity(x, "1")}
    fields = {"u": Field(np.full(20, 5 + x), "1"), "v": Field(np.full(20, x), "1")}
    step = -1 if backwards else 1
    return replace(
        solution(x),
        quantities=dict(list(quantities.items())[::step]),
        fields=dict(list(fields.items())[::step]),
    )


def test_columns_are_told_apart_by_name_whatever_order_a_solution_has(tmp_path: Path) -> None:
    write_shard(tmp_path / "a", [told(1.0), told(2.0, backwards=True)], NAMES)
    with TrainingPool([tmp_path / "a"]) as pool:
        assert list(pool.schema.quantities) == ["drag", "lift"]
        assert pool.quantities.tolist() == [[101, 1], [102, 2]]
        assert pool.read([0, 1]).fields[:, 0].tolist() == [[6, 1], [7, 2]]


def test_shards_of_another_column_order_are_refused(tmp_path: Path) -> None:
    write_shard(tmp_path / "a", [told(1.0)], NAMES)
    write_shard(tmp_path / "b", [told(2.0, backwards=True)], NAMES)
    with pytest.raises(CampaignError, match="start another campaign"):
        TrainingPool([tmp_path / "a", tmp_path / "b"])


def test_equal_schemas_have_equal_hashes() -> None:
    first, second = (PoolSchema.of(told(x), NAMES) for x in (1.0, 2.0))
    assert len({first, second, PoolSchema.of(told(1.0, backwards=True), NAMES)}) == 2


def test_a_shard_of_many_samples_keeps_their_order(tmp_path: Path) -> None:
    mesh = grid(1, 1)
    write_shard(tmp_path / "a", [solution(float(x), mesh=mesh) for x in range(300)], NAMES)
    with TrainingPool([tmp_path / "a"]) as pool:
        assert pool.read(range(300)).fields[:, 1, 0].tolist() == list(range(300))


def test_an_empty_shard_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CampaignError, match="at least one"):
        write_shard(tmp_path / "a", [], NAMES)


@pytest.mark.parametrize("content", [None, b"", b"damaged"])
def test_a_missing_or_damaged_shard_names_the_way_out(
    tmp_path: Path, shards: list[Path], content: bytes | None
) -> None:
    bad = tmp_path / "bad.h5"
    if content is not None:
        bad.write_bytes(content)
    with pytest.raises(IntegrityError, match="solverloop check"):
        TrainingPool([*shards, bad])


def test_a_pool_of_many_shards_opens_few_files(tmp_path: Path) -> None:
    files = [tmp_path / f"{index:03d}.h5" for index in range(150)]
    for index, file in enumerate(files):
        write_shard(file, [solution(float(index))], NAMES)
    before = open_files()
    with TrainingPool(files) as pool:
        assert open_files() == before
        values = [float(pool[index]["fields"][1, 0]) for index in range(len(pool))]
        assert open_files() - before <= 64
    assert values == [float(index) for index in range(len(files))]
    assert open_files() == before


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))
