"""Values as bytes, for queues on disk: no pickle, and decoding runs nothing that the bytes name.

The bytes are a line that names the format, the SHA-256 of the rest, and a safetensors file. In it
`tree` is JSON, where a value that JSON keeps exactly stands for itself and every other is a list
of its kind and its content; bytes, arrays and tensors are parts of their own beside the tree.
"""

import hashlib
import json
import math
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from pathlib import Path
from types import MappingProxyType, NoneType
from typing import Any

import numpy as np
import safetensors.numpy
from numpy.typing import NDArray
from safetensors import SafetensorError

from pools.errors import IntegrityError, UsageError
from pools.pick import Pick
from pools.sample import Sample, lean
from pools.solution import Field, Mesh, Quantity, Solution

FORMAT = 1

_NAME = b"solverloop item "
_HEAD = _NAME + b"%d\n" % FORMAT
_TREE = "tree"
_SHA_LENGTH = hashlib.sha256().digest_size
_EXACT = 2**53  # larger integers are kept as text: no reader of JSON rounds them
_NUMBERS = "biufc"  # numpy's kinds of dtype that hold numbers

Bytes = NDArray[np.uint8]

_RECORDS: Mapping[str, type] = MappingProxyType(
    {kind.__name__: kind for kind in (Sample, Pick, Solution, Mesh, Field, Quantity)}
)
_SEVERAL: Mapping[str, Callable[[Iterable[Any]], Any]] = MappingProxyType(
    {kind.__name__: kind for kind in (list, tuple, set, frozenset)}
)

ALLOWED = (
    "None, bool, int, float, str, bytes, list, tuple, set, frozenset, dict, pathlib.Path, numpy's "
    f"scalars and arrays of numbers, dense torch tensors, {', '.join(_RECORDS)}"
)


def encode(value: Any) -> bytes:  # noqa: ANN401 - the types in ALLOWED, nested
    """Return a value as bytes; equal values give equal bytes.

    Types are kept exactly: a subclass is refused rather than turned into its base. Arrays come
    back in C order; tensors come back on the CPU and without a gradient.

    Raises:
        UsageError: a part of the value is of a type that is not kept.
    """
    writer = _Writer()
    try:
        tree = json.dumps(writer.node(value, "item"), ensure_ascii=False, separators=(",", ":"))
    except RecursionError as error:
        raise UsageError(
            "item is nested too deeply, or holds itself, and cannot be put on a durable queue; "
            "put its numbers, or a path to a file"
        ) from error
    parts = {str(index): part for index, part in enumerate(writer.parts)}
    parts[_TREE] = np.frombuffer(tree.encode("utf-8", "surrogatepass"), np.uint8)
    content = safetensors.numpy.save(parts)
    return _HEAD + hashlib.sha256(content).digest() + content


def decode(content: bytes) -> Any:  # noqa: ANN401 - what was encoded
    """Return the value that `encode` was given.

    Raises:
        IntegrityError: the content is damaged, of another format, or not from `encode`.
    """
    checked = _checked(content)
    try:
        parts = safetensors.numpy.load(checked)
        tree = json.loads(parts[_TREE].tobytes().decode("utf-8", "surrogatepass"))
        return _Reader(parts).value(tree)
    except (
        *(ArithmeticError, AttributeError, LookupError, TypeError, ValueError),
        *(RecursionError, RuntimeError, SafetensorError),  # RuntimeError is torch's
    ) as error:
        raise IntegrityError(
            f"the content is whole but is not an encoded item ({type(error).__name__}: {error}); "
            "only what `pools.encoding.encode` returned can be decoded"
        ) from error


def _checked(content: bytes) -> bytes:
    """Return what follows the head and the digest, after a look at both."""
    head, line, rest = content.partition(b"\n")
    if not line or not re.fullmatch(re.escape(_NAME) + rb"\d{1,9}", head):
        raise IntegrityError(
            f"the content begins with {content[:20]!r}, but an encoded item with {_HEAD!r}; it "
            "was damaged, or written by another program: restore it from a backup"
        )
    if head + line != _HEAD:
        raise IntegrityError(
            f"the content has the format {head[len(_NAME) :].decode()}, but this version reads "
            f"{FORMAT}; use the version of solverloop that wrote it"
        )
    stated, body = rest[:_SHA_LENGTH], rest[_SHA_LENGTH:]
    if (found := hashlib.sha256(body).digest()) != stated:
        raise IntegrityError(
            f"the content has the SHA-256 {found.hex()}, but states {stated.hex()}; it was "
            "damaged: restore it from a backup"
        )
    return body


class _Writer:
    """Turns a value into a tree for JSON.

    Attributes:
        parts: what does not go into the tree, as flat bytes.
    """

    def __init__(self) -> None:
        self.parts: list[Bytes] = []

    def node(self, value: Any, where: str) -> Any:  # noqa: ANN401 - any value, any JSON
        """Return the node of a value; `where` names it in errors."""
        kind = type(value)
        if kind in (NoneType, bool, str):
            return value
        if write := _WRITERS.get(kind):
            return write(self, value, where)
        if isinstance(value, np.generic) and value.dtype.kind in _NUMBERS:
            return ["scalar", value.dtype.str, self._part(np.asarray(value))]
        if isinstance(value, Path):
            return ["path", str(value)]
        if _is_tensor(value):
            return self._tensor(value)
        name = f"{kind.__module__}.{kind.__qualname__}".removeprefix("builtins.")
        raise _refused(where, f"a {name}")

    def integer(self, value: int, _where: str) -> Any:  # noqa: ANN401 - JSON
        return value if -_EXACT <= value <= _EXACT else ["int", hex(value)]

    def number(self, value: float, _where: str) -> Any:  # noqa: ANN401 - JSON
        return value if math.isfinite(value) else ["float", str(value)]

    def raw(self, value: bytes, _where: str) -> Any:  # noqa: ANN401 - JSON
        return ["bytes", self._part(np.frombuffer(value, np.uint8))]

    def several(self, value: Iterable[Any], where: str) -> Any:  # noqa: ANN401 - JSON
        ordered = value if isinstance(value, list | tuple) else sorted(value, key=repr)
        nodes = [self.node(item, f"{where}[{index}]") for index, item in enumerate(ordered)]
        return ["several", type(value).__name__, nodes]

    def pairs(self, value: Mapping[Any, Any], where: str) -> Any:  # noqa: ANN401 - JSON
        nodes = [
            [self.node(key, f"the key {key!r} of {where}"), self.node(item, f"{where}[{key!r}]")]
            for key, item in value.items()
        ]
        return ["dict", nodes]

    def array(self, value: NDArray[Any], where: str) -> Any:  # noqa: ANN401 - JSON
        if value.dtype.kind not in _NUMBERS:
            raise _refused(where, f"an array of dtype {value.dtype}")
        return ["array", value.dtype.str, list(value.shape), self._part(value)]

    def record(self, value: Any, where: str) -> Any:  # noqa: ANN401 - one of _RECORDS, JSON
        nodes = {}
        for name, content in lean((f.name, getattr(value, f.name)) for f in fields(value)).items():
            plain = dict(content) if isinstance(content, Mapping) else content
            nodes[name] = self.node(plain, f"{where}.{name}")
        return ["record", type(value).__name__, nodes]

    def _tensor(self, value: Any) -> Any:  # noqa: ANN401 - a torch tensor, JSON
        import torch

        plain = value.detach().cpu().resolve_conj().resolve_neg().contiguous()
        flat = plain.reshape(-1).view(torch.uint8).numpy()
        name = str(value.dtype).removeprefix("torch.")
        return ["tensor", name, list(value.shape), self._part(flat)]

    def _part(self, array: NDArray[Any]) -> str:
        """Keep an array's bytes, in C order, and return their name."""
        self.parts.append(np.frombuffer(array.tobytes(), np.uint8))
        return str(len(self.parts) - 1)


_WRITERS: Mapping[type, Callable[[_Writer, Any, str], Any]] = MappingProxyType(
    {
        int: _Writer.integer,
        float: _Writer.number,
        bytes: _Writer.raw,
        dict: _Writer.pairs,
        np.ndarray: _Writer.array,
        np.memmap: _Writer.array,
        **dict.fromkeys((list, tuple, set, frozenset), _Writer.several),
        **dict.fromkeys(_RECORDS.values(), _Writer.record),
    }
)


class _Reader:
    """Turns a tree and its parts into the value again. Only what is listed here is ever made."""

    def __init__(self, parts: Mapping[str, Bytes]) -> None:
        self._parts = parts

    def value(self, node: Any) -> Any:  # noqa: ANN401 - any JSON, any value
        """Return the value of a node."""
        if not isinstance(node, list):
            return node
        kind, *content = node
        return _READERS[kind](self, *content)

    def integer(self, digits: str) -> int:
        return int(digits, 16)

    def number(self, text: str) -> float:
        return float(text)

    def raw(self, part: str) -> bytes:
        return self._parts[part].tobytes()

    def path(self, text: str) -> Path:
        return Path(text)

    def scalar(self, dtype: str, part: str) -> Any:  # noqa: ANN401 - a scalar of that dtype
        return self.array(dtype, (), part)[()]

    def pairs(self, nodes: list[Any]) -> dict[Any, Any]:
        return {self.value(key): self.value(item) for key, item in nodes}

    def several(self, kind: str, nodes: list[Any]) -> Any:  # noqa: ANN401 - one of _SEVERAL
        return _SEVERAL[kind](self.value(node) for node in nodes)

    def record(self, kind: str, nodes: dict[str, Any]) -> Any:  # noqa: ANN401 - one of _RECORDS
        return _RECORDS[kind](**{name: self.value(node) for name, node in nodes.items()})

    def array(self, dtype: str, shape: Iterable[int], part: str) -> NDArray[Any]:
        if not re.fullmatch(rf"[<>|][{_NUMBERS}]\d{{1,2}}", dtype):
            raise ValueError(f"{dtype!r} is no dtype of numbers")
        flat = self._parts[part].copy()  # where numpy allocates: aligned, and free to be changed
        return flat.view(dtype).reshape(tuple(shape))

    def tensor(self, dtype: str, shape: Iterable[int], part: str) -> Any:  # noqa: ANN401 - torch's
        import torch

        kind = getattr(torch, dtype)
        if not isinstance(kind, torch.dtype):
            raise TypeError(f"{dtype!r} is no dtype of torch")
        flat = torch.tensor(self._parts[part])  # copied to where torch allocates
        return flat.view(kind).reshape(tuple(shape))


_READERS: Mapping[str, Callable[..., Any]] = MappingProxyType(
    {
        "int": _Reader.integer,
        "float": _Reader.number,
        "bytes": _Reader.raw,
        "path": _Reader.path,
        "dict": _Reader.pairs,
        "several": _Reader.several,
        "scalar": _Reader.scalar,
        "array": _Reader.array,
        "tensor": _Reader.tensor,
        "record": _Reader.record,
    }
)


def _is_tensor(value: Any) -> bool:  # noqa: ANN401 - any value
    """Say whether it is a tensor whose numbers can be kept; torch is not loaded to say so."""
    if (torch := sys.modules.get("torch")) is None:
        return False
    return (
        type(value) in (torch.Tensor, torch.nn.Parameter)
        and value.layout is torch.strided
        and not value.is_quantized
        and not value.is_meta
    )


def _refused(where: str, what: str) -> UsageError:
    return UsageError(
        f"{where}: {what} cannot be put on a durable queue; allowed are {ALLOWED}; put its "
        "numbers, or a path to a file"
    )
