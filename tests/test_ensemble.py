from collections.abc import Iterator
from itertools import islice

import pytest
import torch
from field_pools import QUICK
from torch import Generator, Tensor

from surrogates.ensemble import Network, initialise, orders, train
from surrogates.settings import EnsembleSettings, Schedule

SHORT = Schedule(kind="cosine", start=1e-2, end=1e-4, length=50)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Matrices this small are slower on several threads, and far slower on a busy machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def new(seed: int = 0, settings: EnsembleSettings = QUICK) -> Network:
    return initialise(2, 4, settings, Generator().manual_seed(seed))


def data(m: int = 20) -> tuple[Tensor, Tensor]:
    inputs = 2 * torch.rand(m, 2, generator=Generator().manual_seed(9)) - 1
    x, y = inputs.T
    return inputs, torch.stack([x * y, x**2, torch.sin(3 * y), torch.zeros(m)], 1)


def trained(seed: int = 1, settings: EnsembleSettings = QUICK) -> tuple[Network, dict[int, float]]:
    generator = Generator().manual_seed(seed)
    return train(new(settings=settings), data(), settings, SHORT, generator)


def same(a: Network, b: Network) -> bool:
    pairs = zip((*a.weights, *a.biases), (*b.weights, *b.biases), strict=True)
    return all(torch.equal(left, right) for left, right in pairs)


def test_batched_members_equal_ordinary_networks() -> None:
    network, inputs = new(), data()[0]
    batched = network(inputs.expand(3, -1, -1))
    for member in range(3):
        layers: list[torch.nn.Module] = []
        for weight, bias in zip(network.weights, network.biases, strict=True):
            linear = torch.nn.Linear(*weight.shape[1:])
            linear.load_state_dict({"weight": weight[member].T, "bias": bias[member, 0]})
            layers += [linear, torch.nn.SiLU()]
        torch.testing.assert_close(torch.nn.Sequential(*layers[:-1])(inputs), batched[member])


def test_every_member_has_its_own_weights_and_its_sizes() -> None:
    network = new()
    assert network.sizes == (2, 16, 16, 4)
    assert network.members == 3
    assert not torch.equal(network.weights[0][0], network.weights[0][1])


def test_a_member_learns_the_same_alone_as_among_others() -> None:
    """No member's gradient reaches another."""
    settings = QUICK.model_copy(update={"batch_size": 64})  # one batch: the order does not matter
    network = new(settings=settings)
    generators = [Generator().manual_seed(1) for _ in range(2)]
    together, _ = train(network, data(), settings, SHORT, generators[0])
    first = Network(tuple(w[:1] for w in network.weights), tuple(b[:1] for b in network.biases))
    alone, _ = train(first, data(), settings, SHORT, generators[1])
    for weight, single in zip(together.weights, alone.weights, strict=True):
        torch.testing.assert_close(weight[:1], single, atol=1e-4, rtol=1e-3)


def test_training_lowers_the_loss_and_leaves_the_start_alone() -> None:
    start, kept = new(), new()
    _, history = train(start, data(), QUICK, SHORT, Generator().manual_seed(1))
    assert same(start, kept)
    assert history[50] < 0.3 * history[1]


def test_training_is_bitwise_deterministic_and_ignores_the_global_generator() -> None:
    torch.manual_seed(0)
    state = torch.get_rng_state()
    first, _ = trained()
    assert torch.equal(torch.get_rng_state(), state)
    torch.manual_seed(1)
    second, _ = trained()
    assert same(first, second)


def test_small_batches_follow_the_seed() -> None:
    settings = QUICK.model_copy(update={"batch_size": 8})
    assert same(trained(1, settings)[0], trained(1, settings)[0])
    assert not same(trained(1, settings)[0], trained(2, settings)[0])


def test_an_output_that_starts_at_zero_with_zero_targets_stays_zero() -> None:
    network = new()
    mask = torch.tensor([1.0, 1.0, 1.0, 0.0])
    masked = Network((*network.weights[:-1], network.weights[-1] * mask), network.biases)
    done, _ = train(masked, data(), QUICK, SHORT, Generator().manual_seed(1))
    assert not done(data()[0].expand(3, -1, -1))[..., 3].any()


def test_progress_is_told_up_to_the_last_step() -> None:
    told: list[tuple[int, int, float]] = []
    _, history = train(
        new(), data(), QUICK, SHORT, Generator(), lambda *report: told.append(report)
    )
    assert told[-1][:2] == (50, 50)
    assert {done: loss for done, _, loss in told} == history


@pytest.mark.parametrize(("samples", "batch"), [(10, 4), (7, 7), (5, 3)])
def test_each_member_sees_every_sample_once_per_epoch_in_its_own_order(
    samples: int, batch: int
) -> None:
    batches = orders(3, samples, batch, Generator().manual_seed(0))
    seen = torch.cat(list(islice(batches, samples)), 1).reshape(3, batch, samples)
    assert torch.equal(seen.sort(-1).values, torch.arange(samples).expand(3, batch, -1))
    assert not torch.equal(seen[0], seen[1])


def test_the_cosine_and_the_exponential_run_from_start_to_end() -> None:
    for kind in ("cosine", "exponential"):
        schedule = Schedule.model_validate(
            {"kind": kind, "start": 1e-3, "end": 1e-6, "length": 10}
        )
        rates = [schedule.rate(step / 10) for step in range(11)]
        assert rates == sorted(rates, reverse=True)
        assert rates[0] == pytest.approx(1e-3)
        assert rates[-1] == pytest.approx(1e-6)


def test_a_length_in_epochs_counts_batches() -> None:
    schedule = SHORT.model_copy(update={"unit": "epochs"})
    assert schedule.steps(samples=100, batch_size=64) == 100
    assert SHORT.steps(samples=100, batch_size=64) == 50


def test_a_rising_learning_rate_is_refused() -> None:
    with pytest.raises(ValueError, match="swap them"):
        Schedule(kind="cosine", start=1e-6, end=1e-3, length=10)
