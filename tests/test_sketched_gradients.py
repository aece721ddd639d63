"""Sketched gradients against torch's own derivatives."""

from collections.abc import Iterator

import pytest
import torch
from tangent_kernels import MODULES, example, tangent_kernel
from torch import Generator, Tensor, nn

from pools.errors import UsageError
from surrogates.contraction_sketch import contraction_sketch
from surrogates.layer_sketch import Matrices, gaussians
from surrogates.linear_sketch import linear_sketch
from surrogates.sketched_gradients import SketchSettings, sketched_gradients


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def error(features: Tensor, kernel: Tensor) -> float:
    """Return how far products of features are from the kernel, relative to its size."""
    return float((features @ features.T - kernel).norm() / kernel.norm())


@pytest.mark.parametrize("name", MODULES)
def test_products_are_those_of_the_gradients(name: str) -> None:
    """One seed; the error falls with the square root of the width, and is 0.02 here."""
    module, inputs = example(name)
    features = sketched_gradients(module, inputs, SketchSettings(width=1 << 14))
    assert error(features, tangent_kernel(module, inputs)) < 0.08


@pytest.mark.parametrize("name", ["linear", "grouped", "spectral"])
def test_the_mean_over_seeds_is_the_kernel(name: str) -> None:
    module, inputs = example(name)
    seeds = [SketchSettings(width=64, seed=seed) for seed in range(100)]
    sketches = [sketched_gradients(module, inputs, settings) for settings in seeds]
    assert error(torch.cat(sketches, 1) / len(seeds) ** 0.5, tangent_kernel(module, inputs)) < 0.1


def test_random_probes_sum_over_outputs() -> None:
    """Four outputs and two probes, many times."""
    module, inputs = example("field")
    seeds = [SketchSettings(width=64, probes=2, seed=seed) for seed in range(300)]
    sketches = [sketched_gradients(module, inputs, settings) for settings in seeds]
    assert error(torch.cat(sketches, 1) / len(seeds) ** 0.5, tangent_kernel(module, inputs)) < 0.1


def test_features_do_not_depend_on_blocks_nor_on_the_other_points() -> None:
    module, inputs = example("conv2d", n=9)
    whole = sketched_gradients(module, inputs)
    small = sketched_gradients(module, inputs, SketchSettings(block=4))
    torch.testing.assert_close(small, whole, rtol=1e-4, atol=1e-5)
    alone = sketched_gradients(module, inputs[[7]])
    torch.testing.assert_close(alone[0], whole[7], rtol=1e-4, atol=1e-5)


def test_large_layers_are_sketched_a_few_points_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    module, inputs = example("conv3d", n=6)
    whole = sketched_gradients(module, inputs)
    monkeypatch.setattr("surrogates.sketched_gradients._VALUES", 1)
    torch.testing.assert_close(sketched_gradients(module, inputs), whole, rtol=1e-4, atol=1e-5)


def test_the_seed_decides() -> None:
    module, inputs = example("field")
    first, again = (sketched_gradients(module, inputs) for _ in range(2))
    assert torch.equal(first, again)
    assert not torch.equal(first, sketched_gradients(module, inputs, SketchSettings(seed=1)))


def test_no_points_have_no_features() -> None:
    module, inputs = example("linear")
    assert sketched_gradients(module, inputs[:0]).shape == (0, 512)


def test_double_precision_modules_give_single_precision_features() -> None:
    module, inputs = example("field")
    expected = sketched_gradients(module, inputs)
    features = sketched_gradients(module.double(), inputs.double())
    assert features.dtype == torch.float32
    torch.testing.assert_close(features, expected, rtol=1e-3, atol=1e-5)


def test_frozen_weights_without_gradients_enabled_make_no_difference() -> None:
    module, inputs = example("conv2d")
    expected = sketched_gradients(module, inputs)
    with torch.inference_mode():
        assert torch.equal(sketched_gradients(module.requires_grad_(False), inputs), expected)  # noqa: FBT003 - torch's


class EinsumOf(nn.Module):
    """Contracts the same weights, however that is written."""

    def __init__(self, form: str) -> None:
        super().__init__()
        self.form = form
        self.weight = nn.Parameter(torch.ones(3, 2))

    def forward(self, x: Tensor) -> Tensor:
        match self.form:
            case "operands":
                return torch.einsum("bi,io->bo", x, self.weight)
            case "one list":
                return torch.einsum("bi,io->bo", [x, self.weight])
            case _:
                return torch.einsum(x, [0, 1], self.weight, [1, 2], [0, 2])


@pytest.mark.parametrize("form", ["one list", "numbered axes"])
def test_einsum_is_seen_however_it_is_called(form: str) -> None:
    inputs = torch.randn(4, 3, generator=Generator().manual_seed(0))
    expected = sketched_gradients(EinsumOf("operands"), inputs)
    assert torch.equal(sketched_gradients(EinsumOf(form), inputs), expected)


@pytest.mark.parametrize("equation", ["bi,io", "...i,io->...o", "bi,bo->b", "ib,io->ob"])
def test_other_contractions_are_not_taken_for_layers(equation: str) -> None:
    inputs, weights = torch.ones(2, 2), torch.ones(2, 2)
    assert contraction_sketch(equation, inputs, weights, weights_first=False) is None


class Fails(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        raise RuntimeError(f"failed on purpose at {tuple(x.shape)}")


@pytest.mark.parametrize("last", [nn.Identity(), Fails()], ids=["succeeds", "fails"])
def test_the_module_is_what_it_was(last: nn.Module) -> None:
    norm = nn.BatchNorm1d(8)
    module = nn.Sequential(nn.Linear(3, 8), norm, nn.Dropout(0.5), nn.Linear(8, 1), last)
    module[3].eval().weight.requires_grad_(False)  # noqa: FBT003 - torch's
    module[0].weight.grad = torch.ones(8, 3)
    before = trace(module)
    try:
        sketched_gradients(module, torch.randn(5, 3, generator=Generator().manual_seed(0)))
    except RuntimeError as exception:
        assert str(exception) == "failed on purpose at (5, 1)"  # noqa: PT017 - raised in one of two cases
    assert trace(module) == before


def trace(module: nn.Module) -> list[object]:
    """Return all of a module that could have been changed, to compare."""
    parts = list(module.modules())
    hooks = [len(part._forward_hooks) + len(part._forward_pre_hooks) for part in parts]
    weights = [(p.tolist(), p.requires_grad, p.grad is None) for p in module.parameters()]
    grads = [p.grad.tolist() for p in module.parameters() if p.grad is not None]
    buffers = [buffer.tolist() for buffer in module.buffers()]
    return [[part.training for part in parts], hooks, weights, grads, buffers]


class Scale(nn.Module):
    """A layer of no known kind: one weight per input."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor([1.0, 2.0, 3.0]))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.weight


class ScaleSketch:
    """The gradient of `Scale`: inputs times gradients."""

    def draw(self, width: int, generator: Generator) -> Matrices:
        return gaussians(width, (3,), generator)

    def positions(self, gradient: Tensor) -> int:
        return gradient[0].numel()

    def contribution(self, inputs: Tensor, gradient: Tensor, matrices: Matrices) -> Tensor:
        return (inputs * gradient) @ matrices[0].T


def scale_sketch(module: nn.Module) -> ScaleSketch | None:
    return ScaleSketch() if isinstance(module, Scale) else None


def test_a_layer_of_ones_own_needs_an_adapter() -> None:
    _, inputs = example("linear")
    last = nn.Linear(3, 2)
    last.load_state_dict({"weight": 10 * torch.eye(2, 3), "bias": torch.zeros(2)})
    module = nn.Sequential(Scale(), last)
    settings = SketchSettings(width=1 << 14, adapters=(linear_sketch, scale_sketch))
    features = sketched_gradients(module, inputs, settings)
    assert error(features, tangent_kernel(module, inputs)) < 0.05
    without = sketched_gradients(module, inputs, SketchSettings(width=1 << 14))
    assert error(without, tangent_kernel(module, inputs)) > 0.1


def test_a_module_of_unknown_layers_is_refused() -> None:
    with pytest.raises(UsageError, match="give an adapter for its layers"):
        sketched_gradients(Scale(), torch.ones(2, 3))


def test_outputs_that_are_not_finite_are_refused() -> None:
    module, inputs = example("linear")
    inputs[2, 0] = torch.nan
    with pytest.raises(
        UsageError, match=r"not finite for 1 of 4 points, the first at inputs \[nan"
    ):
        sketched_gradients(module, inputs)


class Answers(nn.Module):
    """Puts out whatever it is told to, after a layer."""

    def __init__(self, answer: object) -> None:
        super().__init__()
        self.answer = answer
        self.layer = nn.Linear(3, 1)

    def forward(self, x: Tensor) -> object:
        self.layer(x)
        return self.answer


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ((torch.ones(4),), "returned tuple; wrap it in one that returns a real tensor"),
        (torch.ones(4, dtype=torch.cfloat), "returned torch.complex64"),
        (torch.ones(3, 2), r"shape \(3, 2\) for 4 points"),
        (torch.tensor(1.0), r"shape \(\) for 4 points"),
        (torch.ones(4), "on the way to its outputs"),
    ],
)
def test_outputs_that_are_not_rows_of_a_layers_numbers_are_refused(
    answer: object, message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        sketched_gradients(Answers(answer), torch.ones(4, 3))


class TokensFirst(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(3, 1)

    def forward(self, x: Tensor) -> Tensor:
        answer: Tensor = self.layer(x.transpose(0, 1))
        return answer.sum(0)


def test_layers_that_see_another_axis_first_are_refused() -> None:
    with pytest.raises(UsageError, match="along the first axis of every layer"):
        sketched_gradients(TokensFirst(), torch.ones(4, 5, 3))


def test_points_are_not_changed_by_a_module_that_works_in_place() -> None:
    inputs = -torch.ones(4, 3)
    sketched_gradients(nn.Sequential(nn.ReLU(inplace=True), nn.Linear(3, 1)), inputs)
    assert (inputs == -1).all()


def test_transformers_take_no_shortcut_past_their_linear_layers() -> None:
    """As torch does where they are frozen and evaluated."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        layer = nn.TransformerEncoderLayer(4, 2, 8, batch_first=True)
    inputs = torch.randn(4, 5, 4, generator=Generator().manual_seed(3))
    expected = sketched_gradients(layer, inputs)
    frozen = layer.requires_grad_(False)  # noqa: FBT003 - torch's
    torch.testing.assert_close(sketched_gradients(frozen, inputs), expected)


@pytest.mark.parametrize("wrong", [{"width": 3}, {"probes": 0}, {"block": 0}])
def test_sketches_too_narrow_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(UsageError, match="raise width, or lower probes"):
        SketchSettings(**wrong)
