"""A campaign: its frozen configuration and its directory."""

import fcntl
import logging
import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Self
from uuid import uuid4

import yaml

from phases.config import MAY_CHANGE, CampaignConfig, parse
from phases.preflight import (
    check_levels,
    check_queries,
    check_runner,
    check_solver,
    level_fingerprints,
)
from phases.progress import LOGGER
from phases.seen import is_seen
from phases.yaml_text import parse_yaml
from pools.errors import BusyError, CampaignError, IntegrityError, UsageError
from pools.files import digest, publish_bytes
from pools.ledger import Entry, Ledger
from pools.record import SampleDirectory
from pools.seeds import seed_for
from solvers.build import build
from solvers.policy import LabelPolicy
from solvers.protocol import Solver

if TYPE_CHECKING:
    from pools.training import TrainingPool

_PACKAGES = (
    "solverloop",
    "torch",
    "numpy",
    "scipy",
    "scikit-fem",
    "scikit-learn",
    "h5py",
    "prefect",
)


@dataclass(frozen=True, slots=True)
class Work:
    """What a phase made: its files, and what a reader of the ledger wants to know."""

    artifacts: Sequence[Path]
    summary: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Campaign:
    """One experiment on disk.

    Attributes:
        directory: the campaign's directory.
        config: the frozen configuration.
        key: made at random when the campaign was created; tells it from another one that had the
            same name and place.
        fingerprint: identity of the solver that the campaign began with.
    """

    directory: Path
    config: CampaignConfig
    key: str
    fingerprint: str

    @classmethod
    def open(cls, directory: Path) -> Self:
        """Open a campaign that exists.

        Raises:
            UsageError: there is none, or its configuration cannot be read.
        """
        file = directory / "campaign.yaml"
        try:
            content = parse_yaml(file.read_text())
            frozen, created = content["campaign"], content["created"]
            key, fingerprint = created["key"], created["solver"]
        except (OSError, yaml.YAMLError, KeyError, TypeError, ValueError) as error:
            raise UsageError(
                f"{directory} is not a campaign's directory: cannot read {file} ({error}); give "
                "the directory that `solverloop run` wrote, such as campaigns/channel"
            ) from error
        return cls(directory.resolve(), parse(frozen, str(file)), key, fingerprint)

    @classmethod
    def start(cls, config: CampaignConfig, directory: Path) -> Self:
        """Create the campaign in `directory`, or resume the one that is there.

        Raises:
            UsageError: the directory is another campaign's, holds something else, or the
                configuration changed in a section that decides samples or weights; or the samples
                have no room where they are to be solved.
            CampaignError: the directory cannot be written.
        """
        _refuse_foreign(directory)
        check_runner(config)
        if not (directory / "campaign.yaml").exists():
            check_queries(config)
            check_solver(config)
            check_levels(config)
        with _held(directory):
            if (directory / "campaign.yaml").exists():
                return cls.open(directory)._resumed_with(config)
            return cls._created(config, directory)

    def with_workers(self, workers: int | None) -> Self:
        """Return the campaign as it is, with so many samples solved at once in this process."""
        if workers is None:
            return self
        label = LabelPolicy.model_validate({**self.config.label.model_dump(), "workers": workers})
        config = self.config.model_copy(update={"label": label})
        check_runner(config)
        return replace(self, config=config)

    @cached_property
    def solver(self) -> Solver:
        """Who answers."""
        return build(self.config.solver)

    @cached_property
    def fingerprints(self) -> dict[str, str]:
        """Identity of the solver at each of its levels, by name, the finest first."""
        return {"": self.solver.fingerprint, **level_fingerprints(self.config)}

    @property
    def ledger(self) -> Ledger:
        """The record of finished phases."""
        return Ledger(self.directory / "ledger.jsonl")

    def step_directory(self, step: int) -> Path:
        """Where the files of a step are."""
        return self.directory / "steps" / f"{step:03d}"

    def sample_directory(self, sample_id: str) -> SampleDirectory:
        """Where everything about one sample is.

        Raises:
            IntegrityError: what should be an id would lead elsewhere.
        """
        if not re.fullmatch(r"[\w-]+", sample_id):
            raise IntegrityError(
                f"{self.directory} names a sample {sample_id!r}, but an id is letters and digits: "
                "a file was edited; run `solverloop check` on it, or restore it from a backup"
            )
        return SampleDirectory(self.directory / "samples" / sample_id)

    def checkpoint(self, step: int) -> Path:
        """Where the surrogate that a step trained is."""
        return self.step_directory(step) / "checkpoint"

    def shards(self, pool: str = "pool", *, before: int | None = None) -> list[Path]:
        """Return the shards of `pool` (training) or `test`, in the order of appending.

        Args:
            pool: `pool` or `test`.
            before: only shards that were there when this step trained.
        """
        entries = self.ledger.entries()
        kept = [entry for entry in entries if before is None or is_seen(entry, before)]
        names = [name for entry in kept for name in entry.artifacts]
        return [self.directory / name for name in names if name.startswith(f"{pool}/")]

    def training_pool(self, step: int) -> "TrainingPool":
        """Open the labelled samples as they are when `step` trains."""
        from pools.training import TrainingPool  # torch, which whoever solves a sample needs not

        return TrainingPool(self.shards(before=step))

    def test_pool(self, step: int) -> "TrainingPool":
        """Open the independent test set as it is when `step` trains; a retry may enlarge it."""
        from pools.training import TrainingPool

        return TrainingPool(self.shards("test", before=step))

    def next_to_train(self) -> int:
        """Return the first step that has not trained: it sees all that is appended now."""
        return sum(entry.phase == "train" for entry in self.ledger.entries())

    def first_unfinished_step(self) -> int:
        """Return the first step that has not appended its labels."""
        return sum(entry.phase == "append" for entry in self.ledger.entries())

    def once(
        self, step: int, phase: str, work: Callable[[int], Work], *, spent: float = 0.0
    ) -> Entry:
        """Do a phase unless the ledger says that it is done, and say in the ledger that it is.

        Args:
            step: the step.
            phase: the phase.
            work: does it with the seed it is given; doing it twice must be harmless.
            spent: seconds that the phase took before this call.
        """
        if (entry := self.ledger.find(step, phase)) is not None:
            return entry
        seed, started = seed_for(self.config.seed, step, phase), time.monotonic()
        done = work(seed)
        entry = Entry(
            step=step,
            phase=phase,
            seed=seed,
            artifacts={str(f.relative_to(self.directory)): _digest(f) for f in done.artifacts},
            seconds=round(spent + time.monotonic() - started, 3),
            summary=done.summary,
            finished_at=datetime.now(UTC).isoformat(timespec="seconds"),
        )
        self.ledger.append(entry)
        return entry

    def verify(self) -> None:
        """Check every recorded file against its digest.

        Raises:
            IntegrityError: one is missing or differs.
        """
        for entry in self.ledger.entries():
            entry.verify(self.directory)

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Hold the campaign for this process; the kernel lets go of it when the process dies.

        Raises:
            BusyError: another process holds it.
            CampaignError: the directory cannot be written.
        """
        with _held(self.directory):
            yield

    @classmethod
    def _created(cls, config: CampaignConfig, directory: Path) -> Self:
        fingerprint = build(config.solver).fingerprint
        created = cls(directory.resolve(), config, uuid4().hex, fingerprint)
        created._freeze()
        return created

    def check_solver(self) -> None:
        """Check that the solver answers as it did when the campaign began.

        Raises:
            UsageError: its template, its code or its settings have changed.
        """
        if (now := self.solver.fingerprint) != self.fingerprint:
            raise UsageError(
                f"the solver is now {now!r}, but {self.directory} began with "
                f"{self.fingerprint!r}; answers of two solvers do not belong into one pool: "
                "change it back, or start another campaign with --directory"
            )

    def _resumed_with(self, config: CampaignConfig) -> Self:
        """Return this campaign with the sections of `config` that may change."""
        if config.name != self.config.name:
            raise UsageError(
                f"{self.directory} holds the campaign {self.config.name!r}, not {config.name!r}; "
                "give another --directory"
            )
        old, new = self.config.model_dump(mode="json"), config.model_dump(mode="json")
        changed = _changes(old, new)
        if fixed := [
            c for c in changed if c.partition(".")[0].partition(":")[0] not in MAY_CHANGE
        ]:
            raise UsageError(
                f"the configuration differs from the one that {self.directory} began with:\n"
                + "\n".join(f"  {change}" for change in fixed)
                + f"\nonly {', '.join(sorted(MAY_CHANGE))} may change on resume; change it "
                "back, or start another campaign with --directory"
            )
        self.check_solver()
        allowed = {section: getattr(config, section) for section in MAY_CHANGE}
        kept = self.config.model_copy(update=allowed)  # its order of parameters is the columns'
        resumed = replace(self, config=kept)
        if changed:
            logging.getLogger(LOGGER).info("resuming with %s", "; ".join(changed))
            resumed._freeze()
        return resumed

    def _freeze(self) -> None:
        content = {
            "campaign": self.config.model_dump(mode="json"),
            "created": {
                "key": self.key,
                "solver": self.fingerprint,
                "versions": _versions(),
            },
        }
        text = yaml.safe_dump(content, sort_keys=False, allow_unicode=True)
        publish_bytes(self.directory / "campaign.yaml", text.encode())


def _refuse_foreign(directory: Path) -> None:
    """Refuse a directory that holds something, but no campaign; what begins with a dot is ours."""
    if not directory.exists() or (directory / "campaign.yaml").exists():
        return
    if not directory.is_dir() or any(not f.name.startswith(".") for f in directory.iterdir()):
        raise UsageError(
            f"{directory} exists but is not a campaign's directory; give an empty or a new "
            "one with --directory"
        )


@contextmanager
def _held(directory: Path) -> Iterator[None]:
    """Hold a campaign's directory for this process, or say that another one does."""
    with _opened(directory / ".lock") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BusyError(
                f"another process is running the campaign in {directory}; wait for it, "
                "end it, or give another --directory"
            ) from None
        yield


def _opened(lock: Path) -> IO[str]:
    try:
        lock.parent.mkdir(parents=True, exist_ok=True)
        return lock.open("a")  # what a link in its place names is not emptied
    except OSError as error:
        raise CampaignError(
            f"cannot write {lock}: {error.strerror}; make the directory writable or free some "
            "disk space, then run the same command again: nothing already solved is lost"
        ) from error


def _changes(old: Any, new: Any, where: str = "") -> list[str]:  # noqa: ANN401 - a tree of JSON
    """Say in words what differs between two trees."""
    if isinstance(old, dict) and isinstance(new, dict):
        keys = [*old, *(key for key in new if key not in old)]
        inner = [
            _changes(old.get(key), new.get(key), f"{where}.{key}" if where else str(key))
            for key in keys
        ]
        return [change for changes in inner for change in changes]
    return [] if old == new else [f"{where}: it began with {old!r}, now {new!r}"]


def _digest(file: Path) -> str:
    try:
        return digest(file)
    except OSError as error:
        raise IntegrityError(
            f"{file} was made but cannot be read: {error.strerror}; run the same command again: "
            "what is missing is made anew"
        ) from error


def _versions() -> dict[str, str]:
    found = {}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found
