"""A surrogate on disk: tensors as safetensors, all else as a JSON manifest. No pickle.

Equal surrogates give equal files, byte for byte.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from pools.shard import PoolSchema
from pools.space import ParameterSpace
from surrogates.ensemble import Network
from surrogates.manifest import (
    MANIFEST,
    Kind,
    publish_manifest,
    publish_tensors,
    read_signed,
    read_tensors,
)
from surrogates.outputs import Outputs
from surrogates.pod import Pod
from surrogates.settings import EnsembleSettings
from surrogates.surrogate import EnsembleSurrogate

TENSORS = "surrogate.safetensors"

_KIND = Kind(
    TENSORS,
    format=1,
    way_out="run `solverloop check` on the campaign's directory: it trains that surrogate again",
)


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
    sha = publish_tensors(directory, _KIND, _tensors(surrogate))
    publish_manifest(directory, _KIND, sha, _description(surrogate, extra or {}))
    return [directory / TENSORS, directory / MANIFEST]


def load(directory: Path) -> EnsembleSurrogate:
    """Load the surrogate that `save` saved.

    Raises:
        IntegrityError: a file is missing, damaged, edited, or of another format.
    """
    manifest = read_manifest(directory)
    return _surrogate(manifest, read_tensors(directory, _KIND, manifest["tensors_sha256"]))


def read_manifest(directory: Path) -> dict[str, Any]:
    """Return the manifest of a checkpoint; what `save` was given as `extra` is under that name.

    Raises:
        IntegrityError: it is missing, damaged, edited, or of another format.
    """
    return read_signed(directory, _KIND)


def _description(surrogate: EnsembleSurrogate, extra: Mapping[str, Any]) -> dict[str, Any]:
    """Return the manifest; what is ordered goes into lists, as JSON objects are sorted."""
    schema = surrogate.schema
    return {
        "settings": surrogate.settings.model_dump(mode="json"),
        "space": [[n, p.model_dump(mode="json")] for n, p in surrogate.space.root.items()],
        "schema": {
            "parameters": list(schema.parameters),
            "quantities": [list(pair) for pair in schema.quantities.items()],
            "fields": [list(pair) for pair in schema.fields.items()],
            "points": schema.points,
        },
        "extra": dict(extra),
        **({"levels": surrogate.levels} if surrogate.levels > 1 else {}),
    }


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
        levels=manifest.get("levels", 1),
    )
