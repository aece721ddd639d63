"""The state of a training on disk: groups of states and a description, without pickle.

A group is whatever a `state_dict` returns: "learner", "optimizer", "scheduler", and any other that
a caller wants to find again, such as the state of a random generator.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pools.errors import IntegrityError, UsageError
from surrogates.manifest import (
    MANIFEST,
    Kind,
    publish_manifest,
    publish_tensors,
    read_signed,
    read_tensors,
)
from surrogates.training_state import State, state_to_tensors, tensors_to_state

TENSORS = "training.safetensors"

TRAINING = Kind(
    TENSORS,
    format="training-1",
    way_out="load an earlier checkpoint, or train again without one",
)


def save_groups(
    directory: Path,
    groups: Mapping[str, State],
    description: Mapping[str, Any] | None = None,
    kind: Kind = TRAINING,
) -> list[Path]:
    """Publish groups of states in a directory of its own.

    What is saved twice is equal byte for byte.

    Args:
        directory: where; made if need be. A checkpoint that is there is replaced, and gone until
            the new one is whole: where that matters, save to a new directory each time.
        groups: states by the group's name.
        description: what else the manifest should tell, as JSON.
        kind: the kind of checkpoint.

    Returns:
        The files written.

    Raises:
        UsageError: a state holds something else than data, or the description has no JSON.
        CampaignError: the directory cannot be written.
    """
    tree, tensors = state_to_tensors(dict(groups))
    content = {"groups": tree, "description": _plain(description or {})}
    sha = publish_tensors(directory, kind, tensors)
    publish_manifest(directory, kind, sha, content)
    return [directory / kind.tensors, directory / MANIFEST]


def load_groups(directory: Path, kind: Kind = TRAINING) -> tuple[dict[str, State], dict[str, Any]]:
    """Load what `save_groups` saved; no code is run.

    Returns:
        The states by the group's name, with tensors on the processor; and the description.

    Raises:
        IntegrityError: a file is missing, damaged, edited, or of another format.
    """
    manifest = read_signed(directory, kind)
    tensors = read_tensors(directory, kind, manifest["tensors_sha256"])
    try:
        groups = dict(tensors_to_state(manifest["groups"], tensors))
        description = dict(manifest["description"])
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise IntegrityError(
            f"{directory / MANIFEST} is signed but holds no training ({error!r}); {kind.way_out}"
        ) from error
    return groups, description


def _plain(description: Mapping[str, Any]) -> Any:  # noqa: ANN401 - JSON
    """Return it as it will be read, so that it is signed in that form."""
    try:
        return json.loads(json.dumps(dict(description), allow_nan=False))
    except (TypeError, ValueError) as error:
        raise UsageError(
            f"the description {str(description)[:80]} has no JSON ({error}); allowed are None, "
            "finite numbers, strings, and lists and dictionaries of them: put tensors and "
            "everything else into a group"
        ) from error
