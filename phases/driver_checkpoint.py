"""A driver's checkpoint on disk: JSON and safetensors, in the format of all our checkpoints."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from pools.errors import UsageError
from strategies.phase import STEP, ActiveLearningPhase
from surrogates.manifest import MANIFEST, Kind, read_signed
from surrogates.training_checkpoint import load_groups, save_groups


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a checkpoint holds.

    Attributes:
        config: the driver's configuration, as JSON.
        strategies: the strategies, as far as they have JSON.
        training: the training configuration, without pools.
        step: the step.
        phase: the phase that it is resumed at.
        epoch: the epoch after which it was written, in the middle of training.
        pool: how many samples the training pool had at first, and how many were appended.
        learner: class of the learner.
        content: queues and what strategies know, encoded.
        states: state of learner, optimizer and scheduler.
    """

    config: str
    strategies: Mapping[str, Any]
    training: Mapping[str, Any] | None
    step: int
    phase: ActiveLearningPhase
    epoch: int | None
    pool: Mapping[str, int] | None
    learner: str
    content: bytes
    states: Mapping[str, Any]


KIND = Kind(
    "state.safetensors",
    "driver/1",
    "resume from another checkpoint of the run: they are below `checkpoints` in its directory",
)
_CONTENT = "content"
_PLACE = "checkpoints"


def write_snapshot(directory: Path, snapshot: Snapshot) -> None:
    """Publish a checkpoint; one that is there is replaced.

    Raises:
        CampaignError: the directory cannot be written.
    """
    content = torch.frombuffer(bytearray(snapshot.content), dtype=torch.uint8)
    described = {f.name: getattr(snapshot, f.name) for f in fields(snapshot)}
    description = {k: v for k, v in described.items() if k not in {"content", "states"}}
    groups = {**snapshot.states, _CONTENT: content}
    save_groups(directory, groups, {"versions": _versions(), **description}, KIND)


def read_snapshot(directory: Path) -> Snapshot:
    """Read a checkpoint; nothing in it is run.

    Raises:
        IntegrityError: it is damaged, edited, or of another format.
    """
    states, description = load_groups(directory, KIND)
    content = states.pop(_CONTENT).numpy().tobytes()
    phase = ActiveLearningPhase(description.pop("phase"))
    del description["versions"]  # for whoever reads it
    return Snapshot(**description, phase=phase, content=content, states=states)


def holds_checkpoint(log_dir: Path) -> bool:
    """Say whether there is a whole checkpoint in a run's directory."""
    return bool(_checkpoints(log_dir))


def newest(place: Path) -> Path:
    """Return a checkpoint's directory: `place` itself, or the last one of the run in `place`.

    Raises:
        UsageError: there is none.
    """
    if (place / MANIFEST).is_file():
        return place
    found = _checkpoints(place)
    if not found:
        raise UsageError(
            f"{place} is neither a checkpoint nor the directory of a run with one; give a run's "
            "directory, such as active_learning_logs/<run_id>, or one of its checkpoints, such "
            "as checkpoints/step_3/labeling"
        )
    return max(found, key=_order)


def put_aside(run: Path, resumed: Snapshot) -> list[Path]:
    """Move the checkpoints of a run that lie behind a resumed one to `superseded`.

    Args:
        run: the run's directory.
        resumed: what is resumed.

    Returns:
        Where they are now.
    """
    here = (resumed.step, STEP.index(resumed.phase), resumed.epoch or 0)
    behind = sorted((p for p in _checkpoints(run) if _order(p) > here), key=_order)
    if not behind:
        return []
    taken = len(list((run / "superseded").glob("*")))
    moved = []
    for place in behind:
        target = run / "superseded" / str(taken) / place.relative_to(run / _PLACE)
        target.mkdir(parents=True, exist_ok=True)
        for name in (MANIFEST, KIND.tensors):  # what lacks its manifest is no checkpoint
            (place / name).replace(target / name)
        moved.append(target)
    return moved


@cache
def _versions() -> dict[str, str]:
    """Return what wrote a checkpoint; to look it up takes longer than to write one."""
    return {"solverloop": version("solverloop"), "torch": str(torch.__version__)}


def _checkpoints(run: Path) -> list[Path]:
    return [file.parent for file in (run / _PLACE).rglob(MANIFEST)]


def _order(directory: Path) -> tuple[int, int, int]:
    """Return where a checkpoint stands in its run: step, phase, epoch."""
    described = read_signed(directory, KIND)["description"]
    return described["step"], STEP.index(described["phase"]), described["epoch"] or 0
