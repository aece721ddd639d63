"""What the trained ensemble shows of how alike points are, and what it may be compared with."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
import torch
from field_pools import QUICK, SPACE, pool
from numpy.typing import NDArray
from torch import Generator, Tensor, nn

from pools.errors import UsageError
from surrogates.ensemble import Network, initialise
from surrogates.ensemble_gradients import ensemble_gradients, member_settings
from surrogates.fit import fit
from surrogates.module_learner import ModuleLearner
from surrogates.prediction import Committee, FeaturedLearner, FeatureKind
from surrogates.settings import EnsembleSettings
from surrogates.sketched_gradients import SketchSettings, sketched_gradients
from surrogates.surrogate import EnsembleSurrogate

KINDS: tuple[FeatureKind, ...] = get_args(FeatureKind)
POINTS = SPACE.sobol(20, seed=4)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> EnsembleSurrogate:
    with pool(tmp_path_factory.mktemp("pool"), SPACE.sobol(8, seed=1)) as data:
        return fit(data, SPACE, QUICK, seed=1).surrogate


def as_modules(network: Network) -> list[nn.Module]:
    """Return the members as ordinary modules."""
    return [_as_module(network, member) for member in range(network.members)]


def _as_module(network: Network, member: int) -> nn.Module:
    layers: list[nn.Module] = []
    for weight, bias in zip(network.weights, network.biases, strict=True):
        linear = nn.Linear(*weight.shape[1:])
        linear.load_state_dict({"weight": weight[member].T, "bias": bias[member, 0]})
        layers += [linear, nn.SiLU()]
    return nn.Sequential(*layers[:-1])


def network(outputs: int, settings: EnsembleSettings = QUICK) -> Network:
    return initialise(3, outputs, settings, Generator().manual_seed(0))


def points(n: int) -> Tensor:
    return 2 * torch.rand(n, 3, generator=Generator().manual_seed(1)) - 1


@pytest.mark.parametrize(
    ("outputs", "width", "probes"),
    [(1, 512, 8), (3, 512, 8), (20, 101, 8), (20, 64, 4), (9, 7, 3)],
)
def test_batched_gradients_are_those_of_ordinary_modules(
    outputs: int, width: int, probes: int
) -> None:
    members, inputs = network(outputs), points(700)
    settings = SketchSettings(width=width, probes=probes)
    batched = ensemble_gradients(members, inputs, settings) * members.members**0.5
    for index, each in enumerate(member_settings(settings, members.members)):
        alone = sketched_gradients(as_modules(members)[index], inputs, each)
        torch.testing.assert_close(batched[:, index::3], alone, rtol=1e-3, atol=1e-4)


def test_deep_networks_of_one_member_too() -> None:
    settings = QUICK.model_copy(update={"depth": 4, "members": 1})
    members, inputs = network(12, settings), points(9)
    [sketch] = member_settings(SketchSettings(), 1)
    alone = sketched_gradients(as_modules(members)[0], inputs, sketch)
    torch.testing.assert_close(ensemble_gradients(members, inputs), alone, rtol=1e-3, atol=1e-4)


def test_more_members_than_features_are_refused() -> None:
    with pytest.raises(UsageError, match="width 2 for 3 members; each needs a feature"):
        ensemble_gradients(network(1), points(2), SketchSettings(width=2, probes=1))


def test_the_ensemble_is_a_featured_committee(trained: EnsembleSurrogate) -> None:
    assert isinstance(trained, FeaturedLearner)
    assert isinstance(trained, Committee)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n", [0, 1, 7])
def test_features_are_rows_in_single_precision(
    trained: EnsembleSurrogate, kind: FeatureKind, n: int
) -> None:
    features = trained.features(POINTS[:n], kind)
    assert features.dtype == np.float32
    assert features.shape == (n, trained.features(POINTS, kind).shape[1])


@pytest.mark.parametrize("kind", KINDS)
def test_a_point_has_the_same_features_among_any_others(
    trained: EnsembleSurrogate, kind: FeatureKind
) -> None:
    together = trained.features(POINTS, kind)
    assert np.array_equal(together, trained.features(POINTS, kind))
    for rows in (slice(3, 4), slice(2, 9)):
        part = trained.features(POINTS[rows], kind)
        np.testing.assert_allclose(part, together[rows], rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_features_are_those_of_the_members_as_modules(
    trained: EnsembleSurrogate, kind: FeatureKind
) -> None:
    """Their outputs are normalised already; the learner of modules takes their mean square."""
    scale = trained.outputs.size**-0.5
    modules = as_modules(trained.network)
    latent = str(2 * (len(trained.network.weights) // 2))
    learner = ModuleLearner(SPACE, modules, scale=scale, latent_layer=latent)
    features = trained.features(POINTS, kind)
    np.testing.assert_allclose(learner.features(POINTS, kind), features, rtol=1e-3, atol=1e-3)


def test_ensemble_features_have_the_uncertainty_as_their_square(
    trained: EnsembleSurrogate,
) -> None:
    squares = np.square(trained.features(POINTS, "ensemble")).sum(1)
    np.testing.assert_allclose(squares, trained.uncertainty(POINTS), rtol=1e-3)


def test_many_ensemble_features_are_projected() -> None:
    settings = QUICK.model_copy(update={"members": 20})
    modules = as_modules(initialise(2, 30, settings, Generator().manual_seed(0)))
    learner = ModuleLearner(SPACE, modules)
    features = learner.features(POINTS, "ensemble")
    assert features.shape == (20, 256)
    members = learner.members(POINTS)
    centred = members - members.mean(0)
    kernel = np.einsum("eao,ebo->ab", centred, centred) / 19
    error = np.linalg.norm(features @ features.T - kernel) / np.linalg.norm(kernel)
    assert error < 0.2


def test_input_features_are_the_unit_cube_from_minus_one_to_one(
    trained: EnsembleSurrogate,
) -> None:
    corners = np.array([[1.0, -1.0], [10.0, 0.0], [100.0, 1.0]])
    expected = [[-1, -1], [0, 0], [1, 1]]
    np.testing.assert_allclose(trained.features(corners, "inputs"), expected, atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_features_of_points_of_another_shape_are_refused(
    trained: EnsembleSurrogate, kind: FeatureKind
) -> None:
    with pytest.raises(UsageError, match="one column for each of speed, angle"):
        trained.features(np.ones((3, 3)), kind)


def test_features_of_an_unknown_kind_are_refused(trained: EnsembleSurrogate) -> None:
    kind: Any = "grad"
    with pytest.raises(UsageError, match="kind 'grad'; there are gradients, last_layer, latent"):
        trained.features(POINTS, kind)


def test_one_member_has_no_ensemble_features(tmp_path: Path) -> None:
    settings = QUICK.model_copy(update={"members": 1})
    with pool(tmp_path, SPACE.sobol(8, seed=1)) as data:
        learner = fit(data, SPACE, settings, seed=1).surrogate
    assert learner.features(POINTS).shape == (20, 512)
    with pytest.raises(UsageError, match="ask for other features: gradients"):
        learner.features(POINTS, "ensemble")


def distances(features: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.linalg.norm(features[:, None] - features, axis=-1)


@pytest.mark.parametrize("kind", KINDS)
def test_points_side_by_side_have_features_side_by_side(
    trained: EnsembleSurrogate, kind: FeatureKind
) -> None:
    near, far = POINTS[[0, 0, 1]] + [[0, 0], [1e-3, 1e-4], [0, 0]], [0, 1, 2]
    apart = distances(trained.features(near, kind)[far])
    assert apart[0, 1] < 0.1 * apart[0, 2]
