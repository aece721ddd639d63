"""A surrogate on disk: tensors as safetensors, all else as a JSON manifest. No pickle.

The manifest holds the digest of the tensors' file and of itself, and is published last: what has a
manifest is whole. Equal surrogates give equal files, byte for byte.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors.torch
from torch import Tensor

from pools.errors import IntegrityError
from pools.files import publish_bytes, publish_json
from pools.shard import PoolSchema
from pools.space import ParameterSpace
from surrogates.ensemble import Network
from surrogates.outputs import Outputs
from surrogates.pod import Pod
from surrogates.settings import EnsembleSettings
from surrogates.surrogate import EnsembleSurrogate

TENSORS = "surrogate.safetensors"
MANIFEST = "manifest.json"
FORMAT = 1

_WAY_OUT = "run `solverloop check` on the campaign's directory: it trains that surrogate again"


def save(
    directory: Path, surrogate: EnsembleSurrogate, *, extra: Mapping[str, Any] | None = None
) -> list[Path]:
    """Publish a surrogate in a directory of its own.

    Args:
        directory: where; made if need be. A checkpoint that is there is replaced.
        surrogate: what to save.
        extra: what else the manifest should tell, as JSON.

    Returns:
        The files written.

    Raises:
        CampaignError: the directory cannot be written.
    """
    tensors, manifest = directory / TENSORS, directory / MANIFEST
    content = safetensors.torch.save(_tensors(surrogate))
    manifest.unlink(missing_ok=True)  # from here on the directory is not a checkpoint
    publish_bytes(tensors, content)
    publish_json(manifest, _signed(_description(surrogate, content, extra or {})))
    return [tensors, manifest]


def load(directory: Path) -> EnsembleSurrogate:
    """Load the surrogate that `save` saved.

    Raises:
        IntegrityError: a file is missing, damaged, edited, or of another format.
    """
    manifest = read_manifest(directory)
    path = directory / TENSORS
    content = _read(path)
    if (found := hashlib.sha256(content).hexdigest()) != manifest["tensors_sha256"]:
        raise IntegrityError(
            f"{path} has the SHA-256 {found}, but {MANIFEST} says {manifest['tensors_sha256']}; "
            f"{_WAY_OUT}"
        )
    return _surrogate(manifest, _aligned(safetensors.torch.load(content)))


def read_manifest(directory: Path) -> dict[str, Any]:
    """Return the manifest of a checkpoint; what `save` was given as `extra` is under that name.

    Raises:
        IntegrityError: it is missing, damaged, edited, or of another format.
    """
    path = directory / MANIFEST
    try:
        manifest = dict(json.loads(_read(path)))
    except (ValueError, TypeError) as error:
        raise IntegrityError(f"{path} is not a JSON object ({error}); {_WAY_OUT}") from error
    if (found := manifest.get("format")) != FORMAT:
        raise IntegrityError(
            f"{path} has the format {found!r}, but this version reads {FORMAT}; use the version "
            f"of solverloop that wrote it, or {_WAY_OUT}"
        )
    stated = manifest.pop("manifest_sha256", None)
    if (sha := _digest(manifest)) != stated:
        raise IntegrityError(
            f"{path} has content of the SHA-256 {sha}, but states {stated}: it was edited; "
            f"{_WAY_OUT}"
        )
    return manifest


def _aligned(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Copy to where torch allocates: the last digits of a matrix product depend on alignment."""
    return {name: tensor.clone() for name, tensor in tensors.items()}


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise IntegrityError(
            f"cannot read {path}, a part of a checkpoint: {error.strerror}; {_WAY_OUT}"
        ) from error


def _description(
    surrogate: EnsembleSurrogate, content: bytes, extra: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the manifest; what is ordered goes into lists, as JSON objects are sorted."""
    schema = surrogate.schema
    return {
        "format": FORMAT,
        "tensors_sha256": hashlib.sha256(content).hexdigest(),
        "settings": surrogate.settings.model_dump(mode="json"),
        "space": [[n, p.model_dump(mode="json")] for n, p in surrogate.space.root.items()],
        "schema": {
            "parameters": list(schema.parameters),
            "quantities": [list(pair) for pair in schema.quantities.items()],
            "fields": [list(pair) for pair in schema.fields.items()],
            "points": schema.points,
        },
        "extra": dict(extra),
    }


def _signed(manifest: dict[str, Any]) -> dict[str, Any]:
    return manifest | {"manifest_sha256": _digest(manifest)}


def _digest(manifest: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest()


def _tensors(surrogate: EnsembleSurrogate) -> dict[str, Tensor]:
    network, outputs = surrogate.network, surrogate.outputs
    named = {
        "outputs.mean": outputs.mean,
        "outputs.std": outputs.std,
        "outputs.balance": outputs.balance,
        "pod.mean": outputs.pod.mean,
        "pod.modes": outputs.pod.modes,
        "pod.metric": outputs.pod.metric,
    }
    named |= {f"weights.{i}": weight for i, weight in enumerate(network.weights)}
    named |= {f"biases.{i}": bias for i, bias in enumerate(network.biases)}
    return {name: tensor.contiguous() for name, tensor in named.items()}


def _surrogate(manifest: dict[str, Any], tensors: dict[str, Tensor]) -> EnsembleSurrogate:
    settings = EnsembleSettings.model_validate(manifest["settings"])
    schema = manifest["schema"]
    layers = range(settings.depth + 1)
    pod = Pod(tensors["pod.mean"], tensors["pod.modes"], tensors["pod.metric"])
    return EnsembleSurrogate(
        ParameterSpace.model_validate(dict(manifest["space"])),
        PoolSchema(
            parameters=tuple(schema["parameters"]),
            quantities=dict(schema["quantities"]),
            fields=dict(schema["fields"]),
            points=schema["points"],
        ),
        settings,
        Network(
            tuple(tensors[f"weights.{i}"] for i in layers),
            tuple(tensors[f"biases.{i}"] for i in layers),
        ),
        Outputs(tensors["outputs.mean"], tensors["outputs.std"], tensors["outputs.balance"], pod),
    )
