"""Reading 32 random samples from the training pool, against a memory-mapped npy.

The claim: at most 3 times. Both read the same 20,000-point, 4-channel, single-precision samples,
warm, in the same run.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from pools.sample import Sample
from pools.shard import write_shard
from pools.solution import Field, Mesh, Quantity, Solution
from pools.training import TrainingPool

CHANNELS = ("u", "v", "w", "p")


def main() -> None:
    """Print the medians and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, default=20_000, help="mesh points per sample")
    parser.add_argument("--samples", type=int, default=256, help="samples in the pool")
    parser.add_argument("--full", action="store_true", help="1,024 samples and 201 repetitions")
    options = parser.parse_args()
    samples, repetitions = (1024, 201) if options.full else (options.samples, 51)
    with tempfile.TemporaryDirectory() as directory:
        _compare(Path(directory), options.points, samples, repetitions)


def _compare(directory: Path, points: int, samples: int, repetitions: int) -> None:
    shards = [directory / f"{index}.h5" for index in range(4)]
    mesh, rng = _mesh(points), np.random.default_rng(0)
    for index, shard in enumerate(shards):
        write_shard(shard, [_solution(mesh, index, i, rng) for i in range(samples // 4)], ("x",))
    with TrainingPool(shards) as pool:
        everything = np.concatenate([block.fields for block in pool.blocks()])
        np.save(directory / "fields.npy", everything)
        mapped = np.load(directory / "fields.npy", mmap_mode="r")
        picks = [rng.choice(samples, 32, replace=False).tolist() for _ in range(repetitions)]
        theirs = _median(lambda k: [np.array(mapped[i]) for i in picks[k]], repetitions)
        ours = _median(lambda k: pool.read(picks[k]), repetitions)
    print(f"32 random samples of {points} points x 4 channels from {samples}, median:")
    print(f"  memory-mapped npy   {theirs * 1e3:7.2f} ms")
    print(f"  training pool       {ours * 1e3:7.2f} ms   (it reads the weights too)")
    print(f"  ratio               {ours / theirs:7.2f}   (claim: at most 3)")


def _median(read: Callable[[int], object], repetitions: int) -> float:
    seconds = []
    for repetition in range(repetitions):
        started = time.perf_counter()
        read(repetition)
        seconds.append(time.perf_counter() - started)
    return float(np.median(seconds))


def _mesh(points: int) -> Mesh:
    vertex = Mesh.of_point()
    return Mesh(
        points=np.zeros((points, 3)),
        connectivity=vertex.connectivity,
        offsets=vertex.offsets,
        types=vertex.types,
        weights=np.full(points, 1 / points),
    )


def _solution(mesh: Mesh, shard: int, index: int, rng: np.random.Generator) -> Solution:
    return Solution(
        sample=Sample.of({"x": shard + index / 1000}, "benchmark"),
        mesh=mesh,
        fields={name: Field(rng.standard_normal(len(mesh.points)), "1") for name in CHANNELS},
        quantities={"q": Quantity(0.0, "1")},
    )


if __name__ == "__main__":
    main()
