"""A user's own torch modules as learners."""

from collections.abc import Callable
from typing import Any, get_args

import numpy as np
import pytest
import torch
from field_pools import SPACE
from torch import Generator, Tensor, nn

from pools.errors import UsageError
from surrogates.module_classifier import ModuleClassifier
from surrogates.module_learner import ModuleLearner
from surrogates.prediction import Classifier, Committee, FeaturedLearner, FeatureKind
from surrogates.sketched_gradients import SketchSettings

KINDS: tuple[FeatureKind, ...] = get_args(FeatureKind)
POINTS = SPACE.sobol(10, seed=4)
QUICK = SketchSettings(width=64, probes=4, block=4)


def perceptron(seed: int = 0, outputs: int = 3) -> nn.Sequential:
    generator = Generator().manual_seed(seed)
    module = nn.Sequential(nn.Linear(2, 8), nn.SiLU(), nn.Linear(8, 6), nn.SiLU())
    module.append(nn.Linear(6, outputs))
    for weights in module.parameters():
        nn.init.normal_(weights, generator=generator)
    return module


class Shaped(nn.Module):
    """Puts outputs into a shape, as one for fields."""

    def __init__(self, module: nn.Module, *shape: int) -> None:
        super().__init__()
        self.module = module
        self.shape = shape

    def forward(self, x: Tensor) -> Tensor:
        values: Tensor = self.module(x)
        return values.reshape(-1, *self.shape)


def committee(**options: Any) -> ModuleLearner:
    modules = [perceptron(seed) for seed in range(4)]
    return ModuleLearner(SPACE, modules, **{"sketch": QUICK, **options})


def test_modules_are_a_featured_committee() -> None:
    assert isinstance(committee(), FeaturedLearner)
    assert isinstance(committee(), Committee)


@pytest.mark.parametrize("n", [0, 1, 10])
def test_quantities_are_the_members_mean_and_deviation(n: int) -> None:
    learner = committee()
    outputs, prediction = learner.outputs(POINTS[:n]), learner.predict(POINTS[:n])
    np.testing.assert_allclose(prediction.quantities.mean, outputs.mean(0))
    np.testing.assert_allclose(prediction.quantities.std, outputs.std(0, ddof=1))
    assert prediction.quantities.mean.shape == (n, 3)
    assert prediction.fields.mean.shape[0] == n
    assert prediction.fields.mean.size == 0


def test_modules_see_points_from_minus_one_to_one() -> None:
    learner = ModuleLearner(SPACE, nn.Identity())
    corners = np.array([[1.0, -1.0], [10.0, 0.0], [100.0, 1.0]])
    np.testing.assert_allclose(learner.outputs(corners)[0], [[-1, -1], [0, 0], [1, 1]], atol=1e-6)


def test_a_row_of_single_numbers_is_one_quantity() -> None:
    learner = ModuleLearner(SPACE, Shaped(perceptron(outputs=1)))
    assert learner.predict(POINTS).quantities.mean.shape == (10, 1)
    assert not learner.predict(POINTS).quantities.std.any()


def test_fields_are_points_by_channels() -> None:
    learner = ModuleLearner(SPACE, Shaped(perceptron(outputs=10), 5, 2))
    fields = learner.predict(POINTS).fields.mean
    assert learner.predict(POINTS).quantities.mean.shape == (10, 0)
    np.testing.assert_array_equal(fields, learner.outputs(POINTS)[0])


def test_fields_on_a_grid_have_their_channels_first() -> None:
    learner = ModuleLearner(SPACE, Shaped(perceptron(outputs=12), 2, 3, 2))
    fields = learner.predict(POINTS).fields.mean
    assert fields.shape == (10, 6, 2)
    np.testing.assert_array_equal(fields[:, 4, 1], learner.outputs(POINTS)[0][:, 1, 2, 0])


def test_uncertainty_is_the_members_variance_in_units_of_the_scale() -> None:
    scale = np.array([1.0, 10.0, 0.1])
    learner = committee(scale=scale)
    expected = (learner.outputs(POINTS) / scale).var(0, ddof=1).mean(-1)
    np.testing.assert_allclose(learner.uncertainty(POINTS), expected)
    np.testing.assert_allclose(
        learner.members(POINTS).var(0, ddof=1).sum(-1), learner.uncertainty(POINTS)
    )


@pytest.mark.parametrize("kind", KINDS)
def test_features_do_not_depend_on_blocks(kind: FeatureKind) -> None:
    small, large = committee(), committee(sketch=SketchSettings(width=64, probes=4))
    together = large.features(POINTS, kind)
    assert together.dtype == np.float32
    np.testing.assert_allclose(small.features(POINTS, kind), together, rtol=1e-3, atol=1e-4)
    assert large.features(POINTS[:0], kind).shape == (0, together.shape[1])


@pytest.mark.parametrize(("kind", "power"), [("gradients", 1), ("ensemble", 1), ("latent", 0)])
def test_features_of_outputs_are_measured_in_the_scale(kind: FeatureKind, power: int) -> None:
    features = committee(scale=1.0).features(POINTS, kind)
    halved = committee(scale=2.0).features(POINTS, kind)
    np.testing.assert_allclose(halved * 2**power, features, rtol=1e-4, atol=1e-5)


def test_latent_features_are_what_the_named_part_sees() -> None:
    module = perceptron()
    learner = ModuleLearner(SPACE, module, latent_layer="2")
    seen = module[:2](torch.from_numpy(learner.features(POINTS, "inputs")))
    np.testing.assert_allclose(
        learner.features(POINTS, "latent"), seen.detach().numpy(), rtol=1e-5, atol=1e-6
    )
    last = ModuleLearner(SPACE, module).features(POINTS, "latent")
    np.testing.assert_array_equal(last, learner.features(POINTS, "last_layer"))
    assert last.shape == (10, 6)


def test_an_unknown_latent_layer_is_refused() -> None:
    with pytest.raises(UsageError, match="no part 'encoder'; its parts are 0, 1, 2, 3, 4"):
        committee(latent_layer="encoder").features(POINTS, "latent")


def test_modules_without_layers_have_no_last_layer() -> None:
    with pytest.raises(UsageError, match="ask for other features"):
        ModuleLearner(SPACE, nn.Tanh()).features(POINTS, "last_layer")


def test_one_module_knows_no_uncertainty() -> None:
    learner = ModuleLearner(SPACE, perceptron())
    with pytest.raises(UsageError, match="uncertainty asked of 1 module"):
        learner.uncertainty(POINTS)
    with pytest.raises(UsageError, match="ensemble features asked of 1 member"):
        learner.features(POINTS, "ensemble")


def test_a_module_list_is_a_committee() -> None:
    learner = ModuleLearner(SPACE, nn.ModuleList(perceptron(seed) for seed in range(2)))
    assert learner.members(POINTS).shape == (2, 10, 3)


def test_no_modules_are_refused() -> None:
    with pytest.raises(UsageError, match="give one or more"):
        ModuleLearner(SPACE, [])


@pytest.mark.parametrize("scale", [0.0, np.nan, np.array([1.0, -1.0, 1.0])])
def test_scales_that_are_not_positive_are_refused(scale: Any) -> None:
    with pytest.raises(UsageError, match="1 for an output that does not vary"):
        committee(scale=scale)


def test_an_unknown_kind_is_refused() -> None:
    kind: Any = "grad"
    with pytest.raises(UsageError, match="kind 'grad'; there are gradients"):
        committee().features(POINTS, kind)


ASKED: dict[str, Callable[[ModuleLearner], Callable[..., Any]]] = {
    "predict": lambda learner: learner.predict,
    "uncertainty": lambda learner: learner.uncertainty,
    "members": lambda learner: learner.members,
    "features": lambda learner: learner.features,
}


@pytest.mark.parametrize("name", ASKED)
def test_points_of_another_shape_are_refused(name: str) -> None:
    with pytest.raises(UsageError, match="one column for each of speed, angle"):
        ASKED[name](committee())(np.ones((3, 3)))


@pytest.mark.parametrize("name", ASKED)
def test_outputs_that_are_not_finite_are_refused(name: str) -> None:
    modules = [perceptron(), perceptron()]
    modules[1].get_parameter("4.bias").data.fill_(torch.nan)
    with pytest.raises(UsageError, match="not finite for 10 of 10 points"):
        ASKED[name](ModuleLearner(SPACE, modules))(POINTS)


def test_modules_are_asked_in_evaluation_mode_and_stay_in_training() -> None:
    module = perceptron().append(nn.Dropout(0.5))
    learner = ModuleLearner(SPACE, module)
    np.testing.assert_array_equal(learner.outputs(POINTS), learner.outputs(POINTS))
    np.testing.assert_array_equal(learner.features(POINTS), learner.features(POINTS))
    assert module.training


def test_class_probabilities_are_every_members_softmax() -> None:
    classifier = ModuleClassifier(SPACE, [perceptron(seed) for seed in range(3)])
    assert isinstance(classifier, Classifier)
    probabilities = classifier.class_probabilities(POINTS)
    logits = ModuleLearner(SPACE, classifier.modules).outputs(POINTS)
    expected = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    np.testing.assert_allclose(probabilities, expected)
    prediction = classifier.predict(POINTS).quantities
    np.testing.assert_allclose(prediction.mean, expected.mean(0))
    np.testing.assert_allclose(np.square(prediction.std).mean(-1), classifier.uncertainty(POINTS))


def test_a_classifier_of_one_module_knows_no_uncertainty() -> None:
    classifier = ModuleClassifier(SPACE, perceptron())
    assert not classifier.predict(POINTS).quantities.std.any()
    with pytest.raises(UsageError, match="class probabilities, as entropy"):
        classifier.uncertainty(POINTS)


def test_a_single_logit_is_refused() -> None:
    with pytest.raises(UsageError, match=r"give \[0, logit\] for one of two"):
        ModuleClassifier(SPACE, perceptron(outputs=1)).class_probabilities(POINTS)
