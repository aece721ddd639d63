from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
import torch
from field_pools import SPACE, grid, pool, pool_of_fields
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pools.training import TrainingPool
from surrogates.pod import Pod, coefficients, fit_pod

Array = NDArray[np.float64]


def noise(m: int, c: int = 2, decay: float = 0.7, seed: int = 0) -> Array:
    """Fields with a spectrum that falls slowly, shape (m, p, c), and unequal channels."""
    rng = np.random.default_rng(seed)
    p = len(grid().points)
    rank = min(m, 40)
    shapes = rng.normal(size=(rank, p * c)) * (decay ** np.arange(rank))[:, None]
    return 5 + (rng.normal(size=(m, rank)) @ shapes).reshape(m, p, c) * [1.0, 300.0][:c]


def fields_of(pool: TrainingPool) -> torch.Tensor:
    return torch.cat([torch.from_numpy(b.fields) for b in pool.blocks()]).double()


def distance(pod: Pod, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Squared distance of fields in the basis's inner product, shape (m,)."""
    return ((a - b) ** 2 * pod.metric).sum((1, 2))


def gram(pod: Pod) -> torch.Tensor:
    return (pod.modes * pod.metric).flatten(1) @ pod.modes.flatten(1).T


def scaled_snapshots(pool: TrainingPool) -> Array:
    """What a textbook would take the SVD of: written anew, in numpy, all in memory."""
    fields = fields_of(pool).numpy()
    weights = np.concatenate([b.weights for b in pool.blocks()]).astype(float).mean(0)
    weights = weights / weights.sum()
    centred = fields - fields.mean(0)
    variance = (weights[:, None] * centred.var(axis=0)).sum(0)  # (c,)
    scaled: Array = centred * np.sqrt(weights)[:, None] / np.sqrt(variance * fields.shape[2])
    return scaled.reshape(len(fields), -1)


@pytest.mark.parametrize("modes", [3, 8])
def test_reconstruction_error_is_the_optimum_of_a_full_svd(tmp_path: Path, modes: int) -> None:
    with pool_of_fields(tmp_path, noise(50), grid()) as data:
        pod = fit_pod(data, modes, 1.0, block=7)
        fields = fields_of(data)
        error = float(distance(pod, pod.reconstruct(pod.project(fields)), fields).sum())
        values = np.linalg.svd(scaled_snapshots(data), compute_uv=False)
    assert error == pytest.approx(float((values[modes:] ** 2).sum()), rel=1e-3)


def test_a_pool_with_fewer_samples_than_modes_is_represented_exactly(tmp_path: Path) -> None:
    with pool_of_fields(tmp_path, noise(5), grid()) as data:
        pod = fit_pod(data, 24, 1.0)
        fields = fields_of(data)
        assert pod.rank == 4  # five samples about their mean
        torch.testing.assert_close(pod.reconstruct(pod.project(fields)), fields)


def test_modes_are_orthonormal_in_the_weighted_inner_product(tmp_path: Path) -> None:
    with pool_of_fields(tmp_path, noise(30), grid()) as data:
        pod = fit_pod(data, 10, 1.0, block=8)
    torch.testing.assert_close(gram(pod), torch.eye(10).double(), atol=1e-12, rtol=0)


def test_coefficients_have_a_total_variance_of_one(tmp_path: Path) -> None:
    with pool_of_fields(tmp_path, noise(12), grid()) as data:
        found = coefficients(data, fit_pod(data, 24, 1.0))
    assert float(found.var(0, correction=0).sum()) == pytest.approx(1.0)
    assert float(found.mean(0).abs().max()) == pytest.approx(0.0, abs=1e-6)


@settings(deadline=None, max_examples=20)
@given(m=st.integers(2, 40), block=st.integers(1, 50), seed=st.integers(0, 99))
def test_the_stream_does_not_depend_on_the_size_of_its_blocks(
    m: int, block: int, seed: int
) -> None:
    with (
        TemporaryDirectory() as directory,
        pool_of_fields(Path(directory), noise(m, seed=seed), grid()) as data,
    ):
        whole, parts = fit_pod(data, 4, 1.0, block=m), fit_pod(data, 4, 1.0, block=block)
        fields = fields_of(data)
        seen = whole.reconstruct(whole.project(fields)), parts.reconstruct(parts.project(fields))
        residual = float(distance(whole, seen[0], fields).mean())
    assert whole.rank == parts.rank
    assert float(distance(whole, *seen).mean()) <= 1e-9 + 0.03 * residual
    torch.testing.assert_close(gram(parts), torch.eye(parts.rank).double(), atol=1e-10, rtol=0)


def test_no_more_modes_than_hold_the_energy(tmp_path: Path) -> None:
    with pool_of_fields(tmp_path, noise(30), grid()) as data:
        pod = fit_pod(data, 24, 0.9)
        held = coefficients(data, pod).var(0, correction=0).cumsum(0)
    assert held[-2] < 0.9 <= held[-1]


def test_a_constant_channel_is_reproduced_and_does_not_count(tmp_path: Path) -> None:
    rows = SPACE.sobol(8, seed=1)
    with pool(tmp_path, rows) as data:
        pod = fit_pod(data, 24, 1.0)
        fields = fields_of(data)
        seen = pod.reconstruct(pod.project(fields))
    assert list(data.schema.fields) == ["u", "p", "depth"]
    assert torch.equal(seen[..., 2], fields[..., 2])
    torch.testing.assert_close(seen, fields)
    torch.testing.assert_close(gram(pod), torch.eye(pod.rank).double(), atol=1e-10, rtol=0)


def test_a_pool_without_fields_has_an_empty_basis(tmp_path: Path) -> None:
    with pool(tmp_path, SPACE.sobol(8, seed=1), fields=False) as data:
        pod = fit_pod(data, 24, 0.9999)
        assert pod.rank == 0
        assert coefficients(data, pod).shape == (8, 0)
    assert pod.reconstruct(torch.zeros(3, 0).double()).shape == (3, 1, 0)


def test_a_point_without_weight_is_still_reproduced(tmp_path: Path) -> None:
    mesh = grid()
    mesh.weights[5] = 0.0
    with pool_of_fields(tmp_path, noise(6), mesh) as data:
        pod = fit_pod(data, 24, 1.0)
        fields = fields_of(data)
    torch.testing.assert_close(pod.reconstruct(pod.project(fields)), fields)


def test_signs_and_bits_are_reproducible(tmp_path: Path) -> None:
    with pool_of_fields(tmp_path, noise(20), grid()) as data:
        first, second = fit_pod(data, 5, 1.0), fit_pod(data, 5, 1.0)
    assert torch.equal(first.modes, second.modes)
