"""What every checkpoint has in common: a file of tensors and a signed JSON manifest. No pickle.

The manifest holds the digest of the tensors' file and of itself, and is published last: what has a
manifest is whole. The digests tell damage and edits; whoever edits on purpose can sign anew, but
nothing that is read is ever run.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors.torch
from safetensors import SafetensorError
from torch import Tensor

from pools.errors import IntegrityError
from pools.files import publish_bytes

MANIFEST = "manifest.json"


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of checkpoint.

    Attributes:
        tensors: name of the file with its tensors.
        format: what its manifest states as format.
        way_out: what to do about a checkpoint that cannot be read.
    """

    tensors: str
    format: int | str
    way_out: str


def publish_tensors(directory: Path, kind: Kind, tensors: Mapping[str, Tensor]) -> str:
    """Publish the tensors of a checkpoint; until its manifest follows, it is no checkpoint.

    Args:
        directory: of the checkpoint alone; made if need be.
        kind: the kind of checkpoint.
        tensors: by name; contiguous, no two of them sharing memory.

    Returns:
        The SHA-256 of their file, for `publish_manifest`.

    Raises:
        CampaignError: the directory cannot be written.
    """
    content = safetensors.torch.save(dict(tensors))
    (directory / MANIFEST).unlink(missing_ok=True)
    publish_bytes(directory / kind.tensors, content)
    return hashlib.sha256(content).hexdigest()


def publish_manifest(
    directory: Path, kind: Kind, tensors_sha256: str, description: Mapping[str, Any]
) -> None:
    """Publish the manifest that makes a checkpoint of the tensors, with a line for each part.

    Raises:
        CampaignError: the directory cannot be written.
    """
    manifest = signed(kind, tensors_sha256, description)
    # Indented JSON is written by Python rather than by C: ten times as slow.
    parts = (
        f"{json.dumps(name)}: {json.dumps(part, sort_keys=True, allow_nan=False)}"
        for name, part in sorted(manifest.items())
    )
    text = ",\n".join(parts)
    publish_bytes(directory / MANIFEST, f"{{\n{text}\n}}\n".encode())


def signed(kind: Kind, tensors_sha256: str, description: Mapping[str, Any]) -> dict[str, Any]:
    """Return the manifest that describes a checkpoint."""
    manifest = {"format": kind.format, "tensors_sha256": tensors_sha256, **description}
    return manifest | {"manifest_sha256": _digest(manifest)}


def read_signed(directory: Path, kind: Kind) -> dict[str, Any]:
    """Return a checkpoint's manifest.

    Raises:
        IntegrityError: it is missing, damaged, edited, or of another format.
    """
    path = directory / MANIFEST
    try:
        manifest = dict(json.loads(_read(path, kind)))
    except (ValueError, TypeError) as error:
        raise IntegrityError(f"{path} is not a JSON object ({error}); {kind.way_out}") from error
    if (found := manifest.get("format")) != kind.format:
        raise IntegrityError(
            f"{path} has the format {found!r}, but this version reads {kind.format!r}; use the "
            f"version of solverloop that wrote it, or {kind.way_out}"
        )
    stated = manifest.pop("manifest_sha256", None)
    if (sha := _digest(manifest)) != stated:
        raise IntegrityError(
            f"{path} has content of the SHA-256 {sha}, but states {stated}: it was edited; "
            f"{kind.way_out}"
        )
    return manifest


def read_tensors(directory: Path, kind: Kind, tensors_sha256: str) -> dict[str, Tensor]:
    """Return the tensors of a checkpoint whose manifest states this digest.

    They are copied to where torch allocates: the last digits of a matrix product depend on
    alignment.

    Raises:
        IntegrityError: their file is missing, damaged, or another one.
    """
    path = directory / kind.tensors
    content = _read(path, kind)
    if (found := hashlib.sha256(content).hexdigest()) != tensors_sha256:
        raise IntegrityError(
            f"{path} has the SHA-256 {found}, but {MANIFEST} says {tensors_sha256}; {kind.way_out}"
        )
    try:
        tensors = safetensors.torch.load(content)
    except SafetensorError as error:
        raise IntegrityError(
            f"{path} is not a file of tensors ({error}); {kind.way_out}"
        ) from error
    return {name: tensor.clone() for name, tensor in tensors.items()}


def _read(path: Path, kind: Kind) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise IntegrityError(
            f"cannot read {path}, a part of a checkpoint: {error.strerror}; {kind.way_out}"
        ) from error


def _digest(manifest: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest()
