"""What travels through queues, as bytes and back."""

import hashlib
import json
import math
import os
import subprocess
import sys
from collections import OrderedDict
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
import torch
from hypothesis import given
from hypothesis import strategies as st
from pool_examples import solution

from pools.encoding import decode, encode
from pools.errors import IntegrityError, UsageError
from pools.pick import Pick
from pools.sample import Sample
from pools.solution import Mesh, Solution

PLAIN = st.one_of(
    *(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False)),
    *(st.text(st.characters()), st.binary()),
)
KEYS = st.one_of(PLAIN, st.tuples(PLAIN, PLAIN), st.frozensets(st.integers()))
VALUES = st.recursive(
    PLAIN,
    lambda values: st.one_of(
        st.lists(values),
        st.lists(values).map(tuple),
        st.dictionaries(KEYS, values),
        st.sets(st.one_of(st.integers(), st.text())),
    ),
    max_leaves=12,
)


class Colour(StrEnum):
    RED = "red"


def again(value: Any) -> Any:
    return decode(encode(value))


def blob(tree: object, **parts: bytes) -> bytes:
    """Return content whose digest is right, whatever is in it."""
    named = {"tree": json.dumps(tree).encode(), **parts}
    body = safetensors.numpy.save({k: np.frombuffer(v, np.uint8) for k, v in named.items()})
    return b"solverloop item 1\n" + hashlib.sha256(body).digest() + body


@given(VALUES)
def test_plain_values_come_back_with_their_types(value: Any) -> None:
    assert repr(again(value)) == repr(value) or again(value) == value
    assert type(again(value)) is type(value)


@pytest.mark.parametrize(
    "value",
    [
        *(
            True,
            1,
            1.0,
            -0.0,
            math.inf,
            -math.inf,
            5e-324,
            2**53 + 1,
            -(2**5000),
            "",
            "\ud83d\ude00",
        ),
        *([], (), {}, set(), frozenset(), [()], {1: {"1": [True, 1, 1.0]}}, b"", b"\x00" * 9),
        *({(1, "a"): {b"k": None}}, Path("a/b"), {Path("/x"): 1}, ["int", "0x1"], {"tree": []}),
    ],
    ids=lambda value: f"{value!r:.20}",
)
def test_types_are_kept_exactly(value: Any) -> None:
    assert repr(again(value)) == repr(value)


def test_not_a_number_is_kept() -> None:
    assert math.isnan(again([math.nan])[0])


def test_keys_keep_their_order() -> None:
    assert list(again({"b": 1, "a": 2})) == ["b", "a"]


@pytest.mark.parametrize("dtype", ["?", "i1", "u8", "<f2", ">f8", "f4", "c16", "longdouble"])
@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (0, 4), (2, 0)])
def test_arrays_come_back(dtype: str, shape: tuple[int, ...]) -> None:
    array = np.arange(math.prod(shape)).reshape(shape).astype(dtype)
    back = again(array)
    assert (back.dtype, back.shape) == (array.dtype, shape)
    np.testing.assert_array_equal(back, array)


def test_arrays_may_lie_in_any_order() -> None:
    array = np.arange(24.0).reshape(2, 3, 4)
    for view in (array.T, np.asfortranarray(array), array[::-1, :, ::2], np.broadcast_to(1.5, 3)):
        np.testing.assert_array_equal(again(view), view)


def test_arrays_come_back_writable_and_with_their_bits(tmp_path: Path) -> None:
    array = np.array([-0.0, np.nan, np.inf, 5e-324])
    back = again(array)
    assert back.tobytes() == array.tobytes()
    back[0] = 1
    mapped = np.memmap(tmp_path / "a", np.float64, "w+", shape=(2,))
    assert type(again(mapped)) is np.ndarray


@pytest.mark.parametrize(
    "scalar", [np.float64(0.1), np.float32("nan"), np.int8(-1), np.bool_(1), np.complex64(1j)]
)
def test_scalars_of_numpy_stay_such(scalar: Any) -> None:
    back = again(scalar)
    assert type(back) is type(scalar)
    assert back.tobytes() == scalar.tobytes()


@pytest.mark.parametrize(
    "dtype",
    [
        *(torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.float8_e4m3fn),
        *(torch.bool, torch.uint8, torch.int64, torch.uint16, torch.complex64),
    ],
    ids=str,
)
@pytest.mark.parametrize("shape", [(), (2, 3), (0, 2)])
def test_tensors_come_back(dtype: torch.dtype, shape: tuple[int, ...]) -> None:
    tensor = torch.arange(math.prod(shape)).reshape(shape).to(dtype)
    back = again({"x": tensor})["x"]
    assert (type(back), back.dtype, back.shape) == (torch.Tensor, dtype, shape)
    assert torch.equal(back.to(torch.complex128), tensor.to(torch.complex128))


def test_tensors_lose_their_gradient_and_their_strides() -> None:
    weight = torch.nn.Parameter(torch.arange(6.0).reshape(2, 3))
    back = again(weight)
    assert type(back) is torch.Tensor
    assert not back.requires_grad
    assert torch.equal(again(weight.T), weight.T)
    turned = torch.tensor([1 + 2j]).conj()
    assert torch.equal(again(turned), turned)


def test_samples_and_picks_come_back() -> None:
    sample = Sample("a" * 16, MappingProxyType({"x": 0.1}))
    assert again(sample) == Sample("a" * 16, {"x": 0.1})
    pick = Pick(Sample.of({"x": 0.1}, "s"), "sbal", score=np.float64(0.5), reason="why")
    assert again(pick) == pick
    assert type(again(pick).score) is np.float64


def test_solutions_come_back() -> None:
    asked = solution(1.5, 2.0)
    back = again(asked)
    assert isinstance(back, Solution)
    assert (back.sample, dict(back.quantities)) == (asked.sample, dict(asked.quantities))
    assert (back.provenance, back.remark) == (asked.provenance, asked.remark)
    for name in Mesh.__slots__:
        np.testing.assert_array_equal(getattr(back.mesh, name), getattr(asked.mesh, name))
    assert {name: field.unit for name, field in back.fields.items()} == {"u": "m/s", "p": "m2/s2"}
    np.testing.assert_array_equal(back.stacked_fields(), asked.stacked_fields())


def test_equal_values_give_equal_bytes_in_every_process() -> None:
    code = (
        "import sys\n"
        "from pools.encoding import encode\n"
        "sys.stdout.buffer.write(encode({'a', 'b', 'c'}))\n"
    )
    seeds = [{**os.environ, "PYTHONPATH": ".", "PYTHONHASHSEED": seed} for seed in ("1", "2")]
    command = [sys.executable, "-c", code]
    first, second = (
        subprocess.run(command, env=e, check=True, capture_output=True) for e in seeds
    )
    assert first.stdout == second.stdout
    assert decode(first.stdout) == {"a", "b", "c"}


def test_torch_is_not_loaded_for_what_has_no_tensor() -> None:
    code = (
        "import sys, numpy\n"
        "from pools.durable_queue import DurableQueue\n"
        "from pools.encoding import decode, encode\n"
        "decode(encode({'x': numpy.ones(3)}))\n"
        "assert 'torch' not in sys.modules\n"
    )
    environment = {**os.environ, "PYTHONPATH": "."}
    subprocess.run([sys.executable, "-c", code], env=environment, check=True)


def itself() -> list[Any]:
    inner: list[Any] = []
    inner.append(inner)
    return inner


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"mesh": [1, 2, object()]}, r"^item\['mesh'\]\[2\]: a object cannot be put"),
        (solution, r"^item: a function cannot be put .*put its numbers, or a path to a file$"),
        ({object: 1}, r"^the key <class 'object'> of item: a type "),
        (Sample("a", {"x": Colour.RED}), r"^item\.parameters\['x'\]: a test_encoding\.Colour "),  # type: ignore[dict-item]  # that is the point
        ((Colour.RED,), r"^item\[0\]: a test_encoding\.Colour "),
        (OrderedDict(a=1), "a collections.OrderedDict"),
        (np.array(["a"]), "array of dtype <U1"),
        (np.array([object()]), "array of dtype object"),
        (np.ma.masked_array([1.0], [True]), "MaskedArray"),
        (np.str_("a"), "a numpy.str_"),
        (torch.eye(2).to_sparse(), "a torch.Tensor .*dense torch tensors"),
        (torch.empty(2, device="meta"), "a torch.Tensor"),
        (itself(), "nested too deeply, or holds itself"),
    ],
    ids=lambda value: f"{value!s:.16}",
)
def test_what_cannot_be_kept_is_refused_by_its_place(value: Any, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        encode(value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "begins with b''"),
        (b"\x80\x04K\x01.", "written by another program"),
        (encode(1)[5:], "written by another program"),
        (encode(1).replace(b"item 1", b"item 2", 1), "has the format 2, but this version reads 1"),
        (encode([1, 2])[:-1], "was damaged"),
        (encode([1, 2]) + b" ", "was damaged"),
        (encode([1, 2])[:30], "was damaged"),
    ],
)
def test_what_is_not_an_item_is_said_to_be_none(content: bytes, message: str) -> None:
    with pytest.raises(IntegrityError, match=message):
        decode(content)


@pytest.mark.parametrize("bit", range(0, 8 * len(encode({"a": [1, b"x"]})), 41))
def test_a_bit_that_flipped_is_found(bit: int) -> None:
    content = bytearray(encode({"a": [1, b"x"]}))
    content[bit // 8] ^= 1 << bit % 8
    with pytest.raises(IntegrityError):
        decode(bytes(content))


@pytest.mark.parametrize(
    "tree",
    [
        *(["eval", "1"], [], [[]], [{}], ["int"], ["int", "x"], ["int", 1], ["bytes", "0"]),
        *(["several", "dict", []], ["several", "list", 5], ["dict", [[["dict", []], 1]]]),
        *(["record", "Path", {}], ["record", "Sample", {}], ["record", "Sample", []]),
        *(["array", "O", [1], "p"], ["array", "|O8", [1], "p"], ["array", "<f8", [3], "p"]),
        *(["array", "<f8", [1 << 60], "p"], ["scalar", "<f3", "p"], ["path", 1]),
        *(["tensor", "load", [1], "p"], ["tensor", "float32", [9], "p"], ["tensor", "f", [], "p"]),
    ],
    ids=str,
)
def test_trees_that_encode_never_made_run_nothing(tree: object) -> None:
    with pytest.raises(IntegrityError, match="is not an encoded item"):
        decode(blob(tree, p=b"\x00" * 8))


def test_a_tree_without_end_is_an_error() -> None:
    deep = b"[" * 100_000
    body = safetensors.numpy.save({"tree": np.frombuffer(deep, np.uint8)})
    with pytest.raises(IntegrityError, match="is not an encoded item"):
        decode(b"solverloop item 1\n" + hashlib.sha256(body).digest() + body)
