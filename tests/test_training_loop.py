import copy
import json
import math
from collections import OrderedDict, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from torch.optim import LBFGS, SGD, Adam
from torch.optim.lr_scheduler import ReduceLROnPlateau, StepLR
from torch.utils.data import DataLoader, TensorDataset

from pools.errors import IntegrityError, UsageError
from surrogates.casting import cast
from surrogates.optimization import update_of
from surrogates.static_capture import captured, compiled
from surrogates.step_functions import TrainingStep
from surrogates.training_checkpoint import save_groups
from surrogates.training_history import TrainingHistory
from surrogates.training_loop import DefaultTrainingLoop

CPU = torch.device("cpu")
Batch = tuple[Tensor, Tensor]


def batches(n: int = 10, size: int = 4) -> list[Batch]:
    """Return inputs (n, 2) and targets (n, 1) in batches; the last one is smaller."""
    x = torch.rand(n, 2, generator=torch.Generator().manual_seed(1))
    y = 3 * x[:, :1] - x[:, 1:]
    return list(zip(x.split(size), y.split(size), strict=True))


def step(model: nn.Module, batch: Batch) -> Tensor:
    return nn.functional.mse_loss(model(batch[0]), batch[1])


def network(seed: int = 0) -> nn.Sequential:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 1))


def loop(function: Any = step, **given: Any) -> DefaultTrainingLoop:
    return DefaultTrainingLoop(function, use_progress_bars=False, **given)


class Learner(nn.Module):
    """Has a step of its own, and no `device`."""

    def __init__(self) -> None:
        super().__init__()
        self.net = network()
        self.validated = 0

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x)

    def training_step(self, batch: Batch) -> Any:
        return step(self, batch)

    def validation_step(self, batch: Batch) -> Any:
        self.validated += 1
        return float(step(self, batch))


class Counting(SGD):
    """Counts its steps."""

    count = 0

    def step(self, closure: Any = None) -> Any:
        self.count += 1
        return super().step(closure)


class Shuffled:
    """Batches in an order that depends on the epoch alone."""

    def __init__(self) -> None:
        self.epoch = 0
        self.told: list[int] = []

    def set_epoch(self, epoch: int) -> None:
        self.epoch = epoch
        self.told.append(epoch)

    def __len__(self) -> int:
        return len(batches())

    def __iter__(self) -> Iterator[Batch]:
        found = batches()
        order = torch.randperm(len(found), generator=torch.Generator().manual_seed(self.epoch))
        return iter([found[i] for i in order])


def weights(model: nn.Module) -> list[Any]:
    return [value.tolist() for value in model.state_dict().values()]


# --- faults of the loop that this one replaces ---------------------------------------------------


@pytest.mark.parametrize("enable_static_capture", [True, False])
def test_the_optimizer_is_stepped_once_per_batch(*, enable_static_capture: bool) -> None:
    model = network()
    optimizer = Counting(model.parameters(), lr=0.1)
    history = loop(enable_static_capture=enable_static_capture)(model, optimizer, batches(), 5)
    assert optimizer.count == history.steps == 15


@pytest.mark.parametrize("enable_static_capture", [True, False])
def test_training_equals_a_loop_written_by_hand(*, enable_static_capture: bool) -> None:
    model, by_hand = network(), network()
    chosen = loop(enable_static_capture=enable_static_capture)
    history = chosen(model, Adam(model.parameters()), batches(), 3)
    optimizer, losses = Adam(by_hand.parameters()), []
    for _ in range(3):
        epoch = []
        for batch in batches():
            optimizer.zero_grad()
            loss = step(by_hand, batch)
            loss.backward()
            optimizer.step()
            epoch.append(loss.detach())
        losses.append(float(sum(epoch)) / 3)
    assert weights(model) == weights(by_hand)
    assert history == TrainingHistory(1, tuple(losses), (None, None, None), 9)


def test_a_learner_without_device_works() -> None:
    model = Learner()
    assert not hasattr(model, "device")
    loop()(model, SGD(model.parameters()), batches(), 1, device="cpu")


def test_a_learner_without_device_that_is_no_module_works() -> None:
    class Plain:
        def __init__(self) -> None:
            self.net = network()

        def __getattr__(self, name: str) -> Any:
            allowed = {"parameters", "train", "eval", "state_dict", "load_state_dict"}
            if name not in allowed:
                raise AttributeError(name)
            return getattr(self.net, name)

        def training_step(self, batch: Batch) -> Tensor:
            return step(self.net, batch)

    model = Plain()
    history = loop(None, dtype=torch.float32, device=CPU)(
        model, SGD(model.parameters()), batches(), 2
    )
    assert history.losses[1] < history.losses[0]
    with pytest.raises(UsageError, match="Plain has to be moved or cast, but has no method `dou"):
        loop(None, dtype=torch.float64)(model, SGD(model.parameters()), batches(), 1)


def test_a_learners_own_training_step_works() -> None:
    model, other = Learner(), Learner()
    own = loop(None)(model, SGD(model.parameters(), lr=0.1), batches(), 2)
    function = loop()(other, SGD(other.parameters(), lr=0.1), batches(), 2)
    assert own == function
    assert weights(model) == weights(other)


def test_the_scheduler_is_stepped_once_per_epoch() -> None:
    model = network()
    optimizer = SGD(model.parameters(), lr=1.0)
    scheduler = StepLR(optimizer, 1, gamma=0.5)
    rates: list[float] = []
    loop()(
        model,
        optimizer,
        batches(),
        3,
        lr_scheduler=scheduler,
        on_epoch_end=lambda _: rates.append(optimizer.param_groups[0]["lr"]),
    )
    assert rates == [0.5, 0.25, 0.125]


def test_integer_labels_stay_integers() -> None:
    x, labels = torch.rand(6, 2), torch.tensor([0, 1, 2, 0, 1, 2])
    model = nn.Linear(2, 3)
    seen = set()

    def classify(model: nn.Module, batch: Batch) -> Tensor:
        seen.add((batch[0].dtype, batch[1].dtype))
        return nn.functional.cross_entropy(model(batch[0]), batch[1])

    loop(classify)(model, SGD(model.parameters()), [(x.double(), labels)], 1)
    assert seen == {(torch.float32, torch.int64)}


def test_validation_has_no_gradients() -> None:
    model, seen = network(), []

    def validate(model: nn.Module, batch: Batch) -> None:
        seen.append((torch.is_grad_enabled(), model(batch[0]).requires_grad, model.training))

    loop(validate_step_fn=validate)(model, SGD(model.parameters()), batches(), 1, batches(4))
    assert seen == [(False, False, False)]
    assert model.training


@pytest.mark.parametrize("scheduled", [True, False])
def test_an_epoch_checkpoint_can_be_loaded(tmp_path: Path, *, scheduled: bool) -> None:
    chosen = loop(checkpoint_frequency=2)
    chosen.checkpoint_base_dir = tmp_path
    model = network()
    optimizer = Adam(model.parameters())
    scheduler = StepLR(optimizer, 1) if scheduled else None
    chosen(model, optimizer, batches(), 5, lr_scheduler=scheduler)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["epoch_2", "epoch_4"]
    other = network(seed=5)
    new = Adam(other.parameters())
    follower = StepLR(new, 1) if scheduled else None
    found = chosen.load_training_checkpoint(tmp_path / "epoch_4", other, new, follower)
    assert found == 4
    loop()(other, new, batches(), 5, lr_scheduler=follower, first_epoch=5)
    assert weights(other) == weights(model)


def test_a_restored_optimizer_state_is_kept(tmp_path: Path) -> None:
    model = network()
    optimizer = Adam(model.parameters())
    loop()(model, optimizer, batches(), 2)
    loop().save_training_checkpoint(tmp_path, model, optimizer, training_epoch=2)
    other = network()
    new = Adam(other.parameters())
    assert DefaultTrainingLoop.load_training_checkpoint(tmp_path, other, new) == 2
    loop(device="cpu", dtype=torch.float32)(other, new, batches(), 3, first_epoch=3)
    assert {float(state["step"]) for state in new.state.values()} == {9.0}


def test_no_pickle_is_written(tmp_path: Path) -> None:
    model = network()
    loop().save_training_checkpoint(tmp_path, model, Adam(model.parameters()), None, 1)
    tensors, manifest = sorted(tmp_path.iterdir(), reverse=True)
    assert (tensors.name, manifest.name) == ("training.safetensors", "manifest.json")
    content = tensors.read_bytes()
    size = int.from_bytes(content[:8], "little")
    assert "learner.0.weight" in json.loads(content[8 : 8 + size])
    assert json.loads(manifest.read_text())["description"] == {"training_epoch": 1}


def test_a_step_that_fails_once_can_be_called_again() -> None:
    model = network()
    optimizer = SGD(model.parameters())
    chosen = loop(lambda _model, _batch: None)
    with pytest.raises(UsageError):
        chosen(model, optimizer, batches(), 1)
    assert chosen(model, optimizer, batches(), 1, train_step_fn=step).steps == 3


# --- an optimizer that asks for the loss itself --------------------------------------------------


def test_lbfgs_fits_a_line_exactly() -> None:
    x = torch.linspace(-1, 1, 20).reshape(-1, 1)
    model = nn.Linear(1, 1)
    optimizer = LBFGS(model.parameters(), line_search_fn="strong_wolfe")
    history = loop()(model, optimizer, [(x, 3 * x - 1)], 3)
    assert history.losses[0] > 0.1  # the loss before the step
    assert history.losses[-1] < 1e-10
    assert history.steps == 3


def test_lbfgs_equals_a_loop_written_by_hand() -> None:
    model, other = network(), network()
    own, hand = (LBFGS(m.parameters(), lr=0.1, max_iter=3) for m in (model, other))
    losses = loop()(model, own, batches(), 2).losses

    def evaluate(batch: Batch) -> Tensor:
        hand.zero_grad()
        loss = step(other, batch)
        loss.backward()  # type: ignore[no-untyped-call]
        return loss.detach()

    by_hand = [
        [float(hand.step(partial(evaluate, batch))) for batch in batches()]  # type: ignore[arg-type]
        for _ in range(2)
    ]
    assert weights(model) == weights(other)
    assert losses == pytest.approx([sum(epoch) / len(epoch) for epoch in by_hand])


def test_lbfgs_with_a_scaler_of_the_loss_is_refused() -> None:
    model = network()
    scaler = torch.amp.GradScaler("cpu")
    with pytest.raises(UsageError, match=r"LBFGS computes the loss several times .* bfloat16"):
        update_of(TrainingStep(step, "step"), LBFGS(model.parameters()), model, scaler)


# --- resuming ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "kind", [partial(Adam, lr=0.05), partial(LBFGS, lr=0.1, max_iter=4, history_size=3)]
)
def test_resumed_equals_uninterrupted(kind: Any, tmp_path: Path) -> None:
    def fresh(seed: int) -> tuple[Any, Any, Any]:
        model = network(seed)
        optimizer = kind(model.parameters())
        return model, optimizer, StepLR(optimizer, 2, gamma=0.7)

    model, optimizer, scheduler = fresh(0)
    whole = loop()(model, optimizer, Shuffled(), 6, lr_scheduler=scheduler)
    first, optimizer, scheduler = fresh(0)
    one = loop()(first, optimizer, Shuffled(), 3, lr_scheduler=scheduler)
    loop().save_training_checkpoint(tmp_path, first, optimizer, scheduler, 3)
    second, optimizer, scheduler = fresh(9)
    done = loop().load_training_checkpoint(tmp_path, second, optimizer, scheduler)
    assert done == 3
    two = loop()(second, optimizer, Shuffled(), 6, lr_scheduler=scheduler, first_epoch=done + 1)
    assert weights(second) == weights(model)
    assert one.losses + two.losses == whole.losses
    assert two.first_epoch == 4


def test_resumed_by_batches_equals_uninterrupted() -> None:
    model, other = network(), network()
    optimizer, again = Adam(model.parameters()), Adam(other.parameters())
    loop()(model, optimizer, Shuffled(), max_train_steps=8)
    loop()(other, again, Shuffled(), max_epochs=2)
    history = loop()(other, again, Shuffled(), max_train_steps=8, first_epoch=3)
    assert history.steps == 2
    assert weights(other) == weights(model)


def test_what_is_already_trained_is_not_trained_again() -> None:
    model = network()
    before = weights(model)
    history = loop()(model, SGD(model.parameters()), batches(), 3, first_epoch=4)
    assert history == TrainingHistory(first_epoch=4)
    assert weights(model) == before


def test_a_checkpoint_without_scheduler_is_not_loaded_into_one(tmp_path: Path) -> None:
    model = network()
    optimizer = SGD(model.parameters(), lr=0.1)
    loop().save_training_checkpoint(tmp_path, model, optimizer)
    assert loop().load_training_checkpoint(tmp_path, model, optimizer) is None
    with pytest.raises(UsageError, match="holds learner, optimizer but no scheduler"):
        loop().load_training_checkpoint(tmp_path, model, optimizer, StepLR(optimizer, 1))


def test_a_checkpoint_of_something_else_is_refused(tmp_path: Path) -> None:
    model = network()
    with pytest.raises(IntegrityError, match="cannot read"):
        loop().load_training_checkpoint(tmp_path, model, SGD(model.parameters()))
    save_groups(tmp_path, {"random": torch.get_rng_state()})
    with pytest.raises(IntegrityError, match=r"holds random and lacks learner, optimizer"):
        loop().load_training_checkpoint(tmp_path, model, SGD(model.parameters()))


# --- step functions ------------------------------------------------------------------------------


def test_the_calls_function_goes_before_the_constructors_and_the_learners() -> None:
    def other(model: nn.Module, batch: Batch) -> Tensor:
        return 0 * step(model, batch) + 7

    model = Learner()
    optimizer = SGD(model.parameters())
    assert loop(other)(model, optimizer, batches(), 1).losses == (7.0,)
    assert loop(step)(model, optimizer, batches(), 1, train_step_fn=other).losses == (7.0,)
    assert loop(None)(model, optimizer, batches(), 1).losses[0] < 7


def test_a_learner_may_step_its_optimizer_itself() -> None:
    class Own(Learner):
        automatic_optimization = False

        def __init__(self, *, tells: bool) -> None:
            super().__init__()
            self.optimizer = Counting(self.parameters(), lr=0.1)
            self.tells = tells

        def training_step(self, batch: Batch) -> Any:
            self.optimizer.zero_grad()
            loss = step(self, batch)
            loss.backward()
            self.optimizer.step()
            return loss if self.tells else None

    model, silent, automatic = Own(tells=True), Own(tells=False), Learner()
    history = loop(None)(model, model.optimizer, batches(), 2)
    assert math.isnan(loop(None)(silent, silent.optimizer, batches(), 2).losses[1])
    assert model.optimizer.count == silent.optimizer.count == history.steps == 6
    assert history == loop(None)(automatic, SGD(automatic.parameters(), lr=0.1), batches(), 2)
    assert weights(model) == weights(silent) == weights(automatic)


@pytest.mark.parametrize(
    ("returned", "described"),
    [
        (None, r"None' \(NoneType\)|None \(NoneType\)"),
        (0.5, r"0\.5.* \(float\)"),
        ({"loss": 1}, r"\(dict\)"),
        (torch.tensor(1.0), r"a tensor of shape \(\) with no gradient"),
        (torch.ones(3, requires_grad=True), r"a tensor of shape \(3,\) with a gradient"),
    ],
)
def test_a_step_without_loss_is_refused_before_weights_change(
    returned: Any, described: str
) -> None:
    def wrong(_model: nn.Module, _batch: Batch) -> Any:
        return returned

    model = network()
    before = weights(model)
    with pytest.raises(UsageError, match=f"wrong returned .*{described}.*def step") as caught:
        loop(wrong)(model, SGD(model.parameters(), lr=0.1, weight_decay=1), batches(), 1)
    assert "automatic_optimization = False" in str(caught.value)
    assert weights(model) == before


def test_a_learners_step_without_loss_is_named() -> None:
    class Silent(Learner):
        def training_step(self, batch: Batch) -> Any:
            step(self, batch)

    model = Silent()
    with pytest.raises(UsageError, match=r"Silent\.training_step returned"):
        loop(None)(model, SGD(model.parameters()), batches(), 1)


def test_no_step_at_all_is_refused() -> None:
    model = network()
    with pytest.raises(UsageError, match=r"Sequential has no `training_step`; give train_step_fn"):
        loop(None)(model, SGD(model.parameters()), batches(), 1)


def test_a_function_by_name_is_refused() -> None:
    with pytest.raises(UsageError, match=r"train_step_fn is 'step' \(str\)"):
        DefaultTrainingLoop("step")  # type: ignore[arg-type]  # that is the point
    model = network()
    with pytest.raises(UsageError, match="validate_step_fn is 3"):
        loop()(model, SGD(model.parameters()), batches(), 1, validate_step_fn=3)  # type: ignore[arg-type]  # the same


def test_further_arguments_reach_the_step_functions() -> None:
    seen: list[Any] = []

    def train(model: nn.Module, batch: Batch, *args: Any, **kwargs: Any) -> Tensor:
        seen.append((args, kwargs))
        return step(model, batch)

    def validate(_model: nn.Module, _batch: Batch, *args: Any, **kwargs: Any) -> None:
        seen.append((args, kwargs))

    model = network()
    optimizer, data = SGD(model.parameters()), batches(4)
    positional: tuple[Any, ...] = (1, data, train, validate, None, None, None, "a", "b")
    loop()(model, optimizer, data, *positional, weight=3)
    assert seen == 2 * [(("a", "b"), {"weight": 3})]


def test_a_loss_of_shape_one_is_a_loss() -> None:
    one, other = network(), network()
    history = loop(lambda m, b: step(m, b).reshape(1))(one, SGD(one.parameters()), batches(), 2)
    assert history == loop()(other, SGD(other.parameters()), batches(), 2)


# --- how long ------------------------------------------------------------------------------------


@pytest.mark.parametrize("given", [{}, {"max_epochs": 1, "max_train_steps": 1}])
def test_exactly_one_length_is_needed(given: Any) -> None:
    model = network()
    with pytest.raises(UsageError, match=r"give exactly one of them, such as max_epochs=10"):
        loop()(model, SGD(model.parameters()), batches(), **given)


@pytest.mark.parametrize(
    "given", [{"max_epochs": 0}, {"max_train_steps": -1}, {"max_epochs": 1, "first_epoch": 0}]
)
def test_a_length_is_positive(given: Any) -> None:
    model = network()
    with pytest.raises(UsageError, match=r"is (0|-1); give at least 1"):
        loop()(model, SGD(model.parameters()), batches(), **given)


@pytest.mark.parametrize(("steps", "epochs"), [(1, 1), (3, 1), (4, 2), (7, 3)])
def test_batches_are_counted_over_epochs(steps: int, epochs: int) -> None:
    model, ended = network(), []
    optimizer = Counting(model.parameters(), lr=0.1)
    history = loop()(model, optimizer, batches(), max_train_steps=steps, on_epoch_end=ended.append)
    assert optimizer.count == history.steps == steps
    assert ended == list(range(1, epochs + 1))
    assert len(history.losses) == epochs


def test_going_on_by_batches_needs_a_loader_with_a_length() -> None:
    model = network()
    with pytest.raises(UsageError, match="generator does not tell how many batches"):
        loop()(
            model,
            SGD(model.parameters()),
            (b for b in batches()),
            max_train_steps=3,
            first_epoch=2,
        )


@pytest.mark.parametrize("given", [{"max_epochs": 2}, {"max_train_steps": 5}])
def test_an_empty_loader_is_refused(given: Any) -> None:
    model = network()
    with pytest.raises(UsageError, match="of type list, gave no batch in epoch 1"):
        loop()(model, SGD(model.parameters()), [], **given)
    with pytest.raises(UsageError, match=r"of type generator, gave no batch in epoch 2.*once"):
        loop()(model, SGD(model.parameters()), (b for b in batches()), **given)


def test_a_sampler_and_a_loader_are_told_the_epoch() -> None:
    class Sampler(torch.utils.data.SequentialSampler):
        told: list[int] = []  # noqa: RUF012 - one sampler

        def set_epoch(self, epoch: int) -> None:
            self.told.append(epoch)

    data = TensorDataset(*(torch.cat(part) for part in zip(*batches(), strict=True)))
    sampler, loader, model = Sampler(data), Shuffled(), network()
    optimizer = SGD(model.parameters())
    loop()(model, optimizer, DataLoader(data, 4, sampler=sampler), 3, first_epoch=2)
    assert sampler.told == [2, 3]
    batch_sampler = torch.utils.data.BatchSampler(sampler, 4, drop_last=False)
    loop()(model, optimizer, DataLoader(data, batch_sampler=batch_sampler), 1)
    assert sampler.told == [2, 3, 1]
    loop()(model, optimizer, loader, 2)
    assert loader.told == [1, 2]


# --- validation and schedulers -------------------------------------------------------------------


def test_what_validation_returns_is_averaged() -> None:
    model, numbers = network(), iter([1, 2.0, torch.tensor(6.0), torch.tensor([1.0, 3.0])])
    history = loop(validate_step_fn=lambda _m, _b: next(numbers))(
        model, SGD(model.parameters()), batches(), 1, batches(8, 2)
    )
    assert history.validation == (11 / 4,)


def test_validation_looks_at_so_many_batches_at_most() -> None:
    model = Learner()
    optimizer = SGD(model.parameters())
    history = loop()(model, optimizer, batches(), 2, batches(), max_val_steps=2)
    assert model.validated == 4
    assert None not in history.validation


def test_a_learner_without_validation_is_not_validated() -> None:
    model = network()
    assert loop()(model, SGD(model.parameters()), batches(), 1, batches()).validation == (None,)


def test_training_mode_is_restored_where_validation_fails() -> None:
    def fails(_model: nn.Module, _batch: Batch) -> None:
        raise ZeroDivisionError

    model = network()
    with pytest.raises(ZeroDivisionError):
        loop(validate_step_fn=fails)(model, SGD(model.parameters()), batches(), 1, batches())
    assert model.training


@pytest.mark.parametrize("validated", [True, False])
def test_a_plateau_is_that_of_the_validation_or_else_of_the_training(*, validated: bool) -> None:
    model = network()
    optimizer = SGD(model.parameters(), lr=0.1)
    scheduler = ReduceLROnPlateau(optimizer, patience=0)
    history = loop(validate_step_fn=lambda _m, _b: 5.0)(
        model, optimizer, batches(), 2, batches() if validated else None, lr_scheduler=scheduler
    )
    assert scheduler.best == (5.0 if validated else min(history.losses))
    assert optimizer.param_groups[0]["lr"] == pytest.approx(0.01 if validated else 0.1)


def test_the_history_is_there_while_it_grows() -> None:
    model, chosen, lengths = network(), loop(), []
    assert chosen.history == TrainingHistory()
    history = chosen(
        model,
        SGD(model.parameters()),
        batches(),
        2,
        on_epoch_end=lambda _: lengths.append(len(chosen.history.losses)),
    )
    assert lengths == [1, 2]
    assert chosen.history is history


# --- precision and devices -----------------------------------------------------------------------


class Pair(NamedTuple):
    x: Tensor
    y: Any


@dataclass(frozen=True, slots=True)
class Graph:
    nodes: Tensor
    edges: Tensor
    name: str


class Movable:
    moved: object = None

    def to(self, device: torch.device) -> "Movable":
        self.moved = device
        return self


def test_data_of_any_shape_is_cast() -> None:
    x, labels = torch.rand(2), torch.tensor([1, 2])
    data = {
        "list": [x, labels],
        "pair": Pair(x, (labels, None)),
        "graph": Graph(x, labels, "mesh"),
        "mask": x > 0.5,
        "complex": torch.ones(1, dtype=torch.complex64),
        "nested": defaultdict(list, a=[OrderedDict(b=x)]),
        "word": "as it is",
        "movable": Movable(),
        3: 4,
    }
    found = cast(data, CPU, torch.float64)
    assert [t.dtype for t in found["list"]] == [torch.float64, torch.int64]
    assert isinstance(found["pair"], Pair)
    assert found["pair"].x.dtype is torch.float64
    assert isinstance(found["graph"], Graph)
    assert (found["graph"].nodes.dtype, found["graph"].edges.dtype) == (
        torch.float64,
        torch.int64,
    )
    assert found["mask"].dtype is torch.bool
    assert found["complex"].dtype is torch.complex64
    assert found["nested"].default_factory is list
    assert type(found["nested"]["a"][0]) is OrderedDict
    assert found["nested"]["a"][0]["b"].dtype is torch.float64
    assert found["movable"].moved == CPU
    assert (found["word"], found[3]) == ("as it is", 4)
    assert data["list"][0].dtype is torch.float32  # type: ignore[index]  # what was given is kept


def test_double_precision_casts_model_optimizer_and_data() -> None:
    model = network()
    optimizer = Adam(model.parameters())
    loop()(model, optimizer, batches(), 1)
    history = loop()(model, optimizer, batches(), 2, dtype="float64", first_epoch=2)
    assert {p.dtype for p in model.parameters()} == {torch.float64}
    assert {s["exp_avg"].dtype for s in optimizer.state.values()} == {torch.float64}
    assert {float(s["step"]) for s in optimizer.state.values()} == {6.0}
    assert history.losses[0] != float(torch.tensor(history.losses[0]).float())


def test_data_follow_the_model_where_nothing_is_asked() -> None:
    model = network().double()
    loop()(model, SGD(model.parameters()), batches(), 1)
    assert {p.dtype for p in model.parameters()} == {torch.float64}


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_mixed_precision_keeps_weights_in_single_precision(dtype: torch.dtype) -> None:
    model, seen = network(), set()

    def mixed(model: nn.Module, batch: Batch) -> Tensor:
        seen.add((batch[0].dtype, model(batch[0]).dtype, torch.is_grad_enabled()))
        return step(model, batch)

    chosen = loop(mixed, validate_step_fn=mixed, dtype=dtype)
    history = chosen(model, SGD(model.parameters(), lr=0.2), batches(), 20, batches())
    assert seen == {(torch.float32, dtype, True), (torch.float32, dtype, False)}
    assert {p.dtype for p in model.parameters()} == {torch.float32}
    assert history.losses[-1] < history.losses[0] / 2


def test_complex_weights_are_kept_complex() -> None:
    class Spectral(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.ones(2, 1, dtype=torch.complex64))
            self.bias = nn.Parameter(torch.zeros(1))

        def forward(self, x: Tensor) -> Tensor:
            return (x.to(self.weight.dtype) @ self.weight).real + self.bias

    model = Spectral()
    loop(dtype=torch.float64)(model, SGD(model.parameters()), batches(), 1)
    assert model.weight.is_complex()
    assert model.bias.dtype is torch.float64


@pytest.mark.parametrize("dtype", [torch.int64, "float8", 64, torch.complex64])
def test_a_type_to_train_in_is_a_floating_point_one(dtype: Any) -> None:
    with pytest.raises(UsageError, match=r"dtype is .*; give one of torch\.float16"):
        loop(dtype=dtype)


def test_an_unknown_device_is_refused() -> None:
    with pytest.raises(UsageError, match="device is 'gpu', which torch does not know"):
        loop(device="gpu")


def test_a_model_is_moved() -> None:
    model = network()
    optimizer = SGD(model.parameters())
    with pytest.raises(RuntimeError, match="meta"):  # it has no numbers to tell
        loop(device="meta")(model, optimizer, batches(), 1)
    assert {p.device.type for p in model.parameters()} == {"meta"}


# --- static capture ------------------------------------------------------------------------------


def test_nothing_is_captured_on_a_processor() -> None:
    assert captured(step, CPU, {}) is step
    assert captured(step, torch.device("cuda"), {"backend": "eager"}) is not step


def test_a_compiled_step_is_right_for_batches_of_any_size() -> None:
    model, other = network(), network()
    function = compiled(step, {"backend": "eager"})
    one = loop(function)(model, SGD(model.parameters(), lr=0.1), batches(), 2)
    two = loop(step)(other, SGD(other.parameters(), lr=0.1), batches(), 2)
    assert one == two
    assert weights(model) == weights(other)


def test_what_cannot_be_compiled_runs_as_it_is() -> None:
    def broken(*_: object) -> Any:
        raise RuntimeError("no compiler")

    function = compiled(step, {"backend": broken})
    model, batch = network(), batches()[0]
    with pytest.warns(UserWarning, match="(?s)cannot be compiled and runs as it is.*no compiler"):
        first = function(model, batch)
    assert first == function(model, batch) == step(model, batch)


def test_an_unknown_option_is_refused_everywhere() -> None:
    with pytest.raises(UsageError, match=r"got gradient_clip_norm; .* torch\.compile: fullgraph"):
        loop(gradient_clip_norm=1.0)


# --- serialisation, bars, processes --------------------------------------------------------------


def test_the_arguments_are_json_and_make_the_loop_again() -> None:
    made = DefaultTrainingLoop(
        device=CPU, dtype=torch.bfloat16, checkpoint_frequency=3, mode="default"
    )
    arguments = json.loads(json.dumps(made._args))
    assert arguments["__name__"] == "DefaultTrainingLoop"
    assert arguments["__module__"] == "surrogates.training_loop"
    assert arguments["__args__"]["dtype"] == "torch.bfloat16"
    assert DefaultTrainingLoop(**arguments["__args__"])._args == made._args


def test_functions_are_named_and_not_made_again() -> None:
    arguments = json.loads(json.dumps(loop()._args))["__args__"]
    assert arguments["train_step_fn"] == "test_training_loop.step"
    with pytest.raises(UsageError, match="give the function again"):
        DefaultTrainingLoop(**arguments)


def test_a_loop_can_be_copied() -> None:
    model = network()
    assert copy.deepcopy(loop())(model, SGD(model.parameters()), batches(), 1).steps == 3


def test_bars_are_shown_on_a_terminal_alone(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = network()
    optimizer = SGD(model.parameters())
    shows = DefaultTrainingLoop(step)
    shows(model, optimizer, batches(), 2)
    assert capsys.readouterr().err == ""
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    monkeypatch.setattr("tqdm.tqdm.monitor_interval", 0)  # no thread
    shows(model, optimizer, batches(), 2)
    shown = capsys.readouterr().err
    assert "epoch" in shown
    assert "batch" in shown
    loop()(model, optimizer, batches(), 2)
    assert capsys.readouterr().err == ""


@pytest.fixture
def process_group(tmp_path: Path) -> Iterator[None]:
    torch.distributed.init_process_group(
        "gloo", init_method=f"file://{tmp_path / 'group'}", rank=0, world_size=1
    )
    yield
    torch.distributed.destroy_process_group()


@pytest.mark.usefixtures("process_group")
def test_a_distributed_learner_is_trained_through_its_wrapper(tmp_path: Path) -> None:
    learner, other = Learner(), Learner()
    model, called = DistributedDataParallel(learner), []
    model.register_forward_pre_hook(lambda *_: called.append(1))
    optimizer = SGD(model.parameters(), lr=0.1)
    history = loop(None)(model, optimizer, batches(), 2, batches())
    assert len(called) == 6
    assert learner.validated == 6
    assert history == loop(None)(other, SGD(other.parameters(), lr=0.1), batches(), 2, batches())
    assert learner(batches()[0][0]).shape == (4, 1)
    loop().save_training_checkpoint(tmp_path / "saved", model, optimizer, None, 2)
    new = Learner()
    loop().load_training_checkpoint(tmp_path / "saved", new, SGD(new.parameters(), lr=0.1))
    assert weights(new) == weights(learner)


@pytest.mark.usefixtures("process_group")
def test_a_function_is_given_the_wrapper() -> None:
    model = DistributedDataParallel(network())
    seen = []

    def shown(model: nn.Module, batch: Batch) -> Tensor:
        seen.append(type(model))
        return step(model, batch)

    loop(shown)(model, SGD(model.parameters()), batches(4), 1)
    assert seen == [DistributedDataParallel]
