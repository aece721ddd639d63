import json
import math
from collections import Counter, OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.optim import lr_scheduler

from pools.errors import IntegrityError, UsageError
from surrogates.manifest import MANIFEST, signed
from surrogates.training_checkpoint import TENSORS, TRAINING, load_groups, save_groups
from surrogates.training_state import state_to_tensors, tensors_to_state


def there_and_back(state: Any) -> Any:
    tree, tensors = state_to_tensors(state)
    return tensors_to_state(json.loads(json.dumps(tree, sort_keys=True, allow_nan=False)), tensors)


def same(one: Any, other: Any) -> bool:
    """Equal in value and in type, all the way down; NaN equals NaN."""
    if type(one) is not type(other):
        return False
    if isinstance(one, Tensor):
        equal = torch.equal(one.nan_to_num(), other.nan_to_num())
        return equal and one.dtype == other.dtype and one.shape == other.shape
    if isinstance(one, dict):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return one == other or (one != one and other != other)


def trained(make: Callable[[Any], torch.optim.Optimizer]) -> tuple[nn.Module, Any]:
    torch.manual_seed(0)
    model = nn.Linear(3, 2)
    optimizer = make(model.parameters())
    for _ in range(3):
        optimizer.zero_grad()
        model(torch.ones(4, 3)).square().sum().backward()
        optimizer.step()
    return model, optimizer


@pytest.mark.parametrize(
    "state",
    [
        None,
        True,
        0,
        -(10**30),
        0.1,
        -0.0,
        5e-324,
        math.nan,
        math.inf,
        -math.inf,
        "word",
        "",
        [],
        (),
        {},
        [1, [2.0, (3, None)]],
        (0.9, 0.999),
        {0: "a", "0": "b", 1.5: "c", None: "d", (1, 2): "e"},
        {"z": 1, "a": 2},
        {"float": "nan", "tensor": "x"},
        OrderedDict(z=1, a=2),
        Counter({3: 2, 1: 1}),
        torch.tensor(3),
        torch.tensor([1.0, math.nan]),
        torch.zeros(0, 2),
        torch.arange(6, dtype=torch.int16).reshape(2, 3).T,
        torch.tensor([True, False]),
        torch.tensor([1 + 2j, 3], dtype=torch.complex128),
        torch.tensor(1.5, dtype=torch.bfloat16),
        {"a.b": torch.zeros(1), "a": {"b": torch.ones(1)}, "": torch.ones(2)},
        {"__metadata__": torch.ones(1)},
    ],
    ids=lambda state: str(state)[:30],
)
def test_a_state_comes_back_exactly(state: Any) -> None:
    assert same(there_and_back(state), state)


def test_zero_keeps_its_sign() -> None:
    assert math.copysign(1, there_and_back(-0.0)) == -1


def test_numbers_of_numpy_become_plain_ones() -> None:
    state = [np.float64(0.1), np.float32(0.5), np.int64(3), np.bool_(1), np.float64(np.inf)]
    assert same(there_and_back(state), [0.1, 0.5, 3, True, math.inf])


@pytest.mark.parametrize(
    "state", [len, lambda x: x, object(), {1, 2}, b"bytes", np.zeros(2), nn.Linear(1, 1)]
)
def test_what_is_no_data_is_refused(state: Any) -> None:
    with pytest.raises(UsageError, match=r"scheduler\.rule\.1 is a .*allowed are None, numbers"):
        state_to_tensors({"scheduler": {"rule": [0, state]}})


@pytest.mark.parametrize("tensor", [torch.eye(2).to_sparse(), torch.zeros(2, device="meta")])
def test_a_tensor_without_plain_data_is_refused(tensor: Tensor) -> None:
    with pytest.raises(UsageError, match="weight is a tensor of layout"):
        state_to_tensors({"weight": tensor})


def test_tensors_are_copies_with_readable_names() -> None:
    weight = nn.Parameter(torch.ones(2))
    _, tensors = state_to_tensors({"learner": {"net.weight": weight}})
    with torch.no_grad():
        weight.zero_()
    assert list(tensors) == ["learner.net.weight"]
    assert tensors["learner.net.weight"].tolist() == [1, 1]
    assert not tensors["learner.net.weight"].requires_grad


@pytest.mark.parametrize(
    "tree", [{"set": []}, {"float": "1", "tensor": "a"}, {}, {"tensor": "b"}, {"dict": [[[1]]]}]
)
def test_what_was_not_split_here_is_refused(tree: Any) -> None:
    with pytest.raises((ValueError, KeyError)):
        tensors_to_state(tree, {"a": torch.zeros(1)})


@pytest.mark.parametrize(
    "make",
    [
        torch.optim.Adam,
        lambda p: torch.optim.AdamW(p, amsgrad=True),
        lambda p: torch.optim.Adam(p, fused=True),
        lambda p: torch.optim.Adam(p, lr=torch.tensor(0.01)),
        lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True),
        torch.optim.RMSprop,
        torch.optim.Adagrad,
        torch.optim.Rprop,
        torch.optim.NAdam,
    ],
)
def test_the_state_of_optimizers(make: Any) -> None:
    _, optimizer = trained(make)
    assert same(there_and_back(optimizer.state_dict()), optimizer.state_dict())


@pytest.mark.parametrize(
    "make",
    [
        lambda o: lr_scheduler.StepLR(o, 2),
        lambda o: lr_scheduler.MultiStepLR(o, [1, 1, 3]),
        lambda o: lr_scheduler.ExponentialLR(o, 0.9),
        lambda o: lr_scheduler.CosineAnnealingLR(o, 5),
        lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, 2),
        lambda o: lr_scheduler.OneCycleLR(o, 0.1, total_steps=9),
        lambda o: lr_scheduler.CyclicLR(o, 0.01, 0.1),
        lambda o: lr_scheduler.LambdaLR(o, lambda epoch: 0.9**epoch),
        lr_scheduler.ReduceLROnPlateau,
        lambda o: lr_scheduler.SequentialLR(
            o, [lr_scheduler.ConstantLR(o), lr_scheduler.ExponentialLR(o, 0.9)], [2]
        ),
    ],
)
def test_the_state_of_schedulers(make: Any) -> None:
    _, optimizer = trained(lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9))
    scheduler = make(optimizer)
    for _ in range(3):
        optimizer.step()
        if isinstance(scheduler, lr_scheduler.ReduceLROnPlateau):
            scheduler.step(1.0)
        else:
            scheduler.step()
    assert same(there_and_back(scheduler.state_dict()), scheduler.state_dict())


def test_the_versions_of_modules_are_kept() -> None:
    state = nn.Sequential(nn.BatchNorm1d(2)).state_dict()
    assert there_and_back(state)._metadata == state._metadata


def test_tied_weights_are_saved(tmp_path: Path) -> None:
    first, second = nn.Linear(2, 2), nn.Linear(2, 2)
    second.weight = first.weight
    save_groups(tmp_path, {"learner": nn.Sequential(first, second).state_dict()})
    learner = load_groups(tmp_path)[0]["learner"]
    assert torch.equal(learner["0.weight"], learner["1.weight"])


def test_groups_and_their_description_come_back(tmp_path: Path) -> None:
    groups = {"optimizer": {"lr": math.inf}, "a": {"b": torch.ones(1)}, "a.b": torch.zeros(1)}
    paths = save_groups(
        tmp_path / "new", groups, {"epoch": 3, "pair": (1, 2), "by": {10: 1, 9: 2}}
    )
    assert [path.name for path in paths] == [TENSORS, MANIFEST]
    found, description = load_groups(tmp_path / "new")
    assert same(found, groups)
    assert description == {"epoch": 3, "pair": [1, 2], "by": {"10": 1, "9": 2}}


def test_the_state_of_a_random_generator_comes_back(tmp_path: Path) -> None:
    save_groups(tmp_path, {"random": torch.get_rng_state()})
    drawn = torch.rand(3)
    torch.set_rng_state(load_groups(tmp_path)[0]["random"])
    assert torch.equal(torch.rand(3), drawn)


def test_saving_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    model, optimizer = trained(torch.optim.Adam)
    groups = {"learner": model.state_dict(), "optimizer": optimizer.state_dict()}
    for path in save_groups(tmp_path / "one", groups):
        save_groups(tmp_path / "two", groups)
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()


@pytest.mark.parametrize("description", [{"a": math.nan}, {"a": torch.ones(1)}, {"a": {1}}])
def test_a_description_without_json_is_refused(description: Any, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"has no JSON .* put tensors and"):
        save_groups(tmp_path, {}, description)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("where", [0, 60, -1])
@pytest.mark.parametrize("name", [TENSORS, MANIFEST])
def test_a_flipped_byte_is_found(name: str, where: int, tmp_path: Path) -> None:
    save_groups(tmp_path, {"a": torch.ones(3)}, {"epoch": 12})
    content = bytearray((tmp_path / name).read_bytes())
    content[where] ^= 1
    (tmp_path / name).write_bytes(content)
    with pytest.raises(IntegrityError, match="load an earlier checkpoint, or train again"):
        load_groups(tmp_path)


@pytest.mark.parametrize("name", [TENSORS, MANIFEST])
def test_a_missing_file_is_named(name: str, tmp_path: Path) -> None:
    save_groups(tmp_path, {"a": torch.ones(3)})
    (tmp_path / name).unlink()
    with pytest.raises(IntegrityError, match=f"cannot read .*{name}"):
        load_groups(tmp_path)


def test_an_edited_manifest_is_refused(tmp_path: Path) -> None:
    save_groups(tmp_path, {}, {"epoch": 12})
    path = tmp_path / MANIFEST
    path.write_text(path.read_text().replace("12", "13"))
    with pytest.raises(IntegrityError, match="it was edited"):
        load_groups(tmp_path)


def test_another_kind_of_checkpoint_is_refused(tmp_path: Path) -> None:
    save_groups(tmp_path, {})
    path = tmp_path / MANIFEST
    path.write_text(path.read_text().replace('"training-1"', "1"))
    with pytest.raises(IntegrityError, match="has the format 1, but this version reads 'training"):
        load_groups(tmp_path)


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"groups": {"dict": [[]]}},
        {"groups": 3, "description": {}},
        {"groups": {"dict": [[["a", {"tensor": "missing"}]]]}, "description": {}},
        {"groups": {"dict": [[["a", {"tensor": ["missing"]}]]]}, "description": {}},
        {"groups": {"dict": [[["a", {"function": "os.system"}]]]}, "description": {}},
        {"groups": {"dict": [[], {"ordered": [[]]}]}, "description": {}},
    ],
)
def test_a_signed_manifest_of_something_else_is_refused(content: Any, tmp_path: Path) -> None:
    save_groups(tmp_path, {})
    sha = json.loads((tmp_path / MANIFEST).read_text())["tensors_sha256"]
    (tmp_path / MANIFEST).write_text(json.dumps(signed(TRAINING, sha, content)))
    with pytest.raises(IntegrityError, match="is signed but holds no training"):
        load_groups(tmp_path)


def test_a_save_that_was_killed_before_its_manifest_is_no_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    save_groups(tmp_path, {"a": 1})
    monkeypatch.setattr("surrogates.training_checkpoint.publish_manifest", killed)
    with pytest.raises(KeyboardInterrupt):
        save_groups(tmp_path, {"a": 2})
    with pytest.raises(IntegrityError, match=MANIFEST):
        load_groups(tmp_path)
