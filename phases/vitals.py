"""How a campaign stands in numbers, read cheaply and from outside, while others write it.

The ledger tells of what is finished; of the samples, only those are looked at whose label phase is
not. Nothing of torch is loaded: an exporter of metrics is a small process.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

from phases.seen import is_retry
from phases.yaml_text import parse_yaml
from pools.errors import IntegrityError
from pools.ledger import Entry, Ledger
from pools.outcome import Outcome
from pools.record import SampleDirectory, SampleRecord

POOLS = {"pool": "training", "test": "test"}
"""What the pools are to a reader, by what the ledger calls them."""


@dataclass(frozen=True, slots=True)
class Vitals:
    """A campaign in numbers.

    Attributes:
        name: of the campaign.
        outcomes: samples that were tried, by how they stand; those of the test set too.
        attempts: tries at all of them.
        solver_seconds: that the solver ran for all of them.
        waiting: samples that were asked for and are not tried yet.
        labelled: solved samples in each pool, by its name.
        step: the last step that trained; -1 before the first.
        error: the last measured headline error; None before the first.
        errors: that of each output.
        stopped: whether a stopping rule decided after the last measured step.
        last_entry: when the last line of the ledger was written, in seconds since 1970; 0 before.
    """

    name: str
    outcomes: Mapping[Outcome, int]
    attempts: int
    solver_seconds: float
    waiting: int
    labelled: Mapping[str, int]
    step: int
    error: float | None
    errors: Mapping[str, float]
    stopped: bool
    last_entry: float

    @property
    def failed_ratio(self) -> float:
        """Share of the samples that were tried and have no solution; 0 where none was tried."""
        tried = sum(self.outcomes.values())
        return (tried - self.outcomes.get(Outcome.OK, 0)) / tried if tried else 0.0


def vitals_of(directory: Path) -> Vitals:
    """Read how a campaign stands.

    Raises:
        IntegrityError: something in its directory is missing or damaged.
    """
    try:
        return _read(directory)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, yaml.YAMLError) as error:
        raise IntegrityError(
            f"cannot read the campaign in {directory} ({type(error).__name__}: {error}); give the "
            "directory that `solverloop run` wrote, or run `solverloop check` on it"
        ) from error


def _read(directory: Path) -> Vitals:
    frozen = parse_yaml((directory / "campaign.yaml").read_text())
    name, _ = frozen["campaign"]["name"], frozen["created"]  # what a cut file lacks
    entries = Ledger(directory / "ledger.jsonl").entries()
    told = list(_told(entries))
    asked = _asked_now(directory, entries)
    running = list(_tried(directory, asked))
    measured = [entry for entry in entries if entry.phase == "metrology"]
    return Vitals(
        name=name,
        outcomes=_outcomes(told, running),
        attempts=sum(t["attempts"] for t in told) + sum(len(r.attempts) for r in running),
        solver_seconds=sum(t["solver_seconds"] for t in told) + sum(r.seconds for r in running),
        waiting=len(asked) - len(running),
        labelled={pool: _labelled(entries, pool) for pool in POOLS},
        step=max((entry.step for entry in entries if entry.phase == "train"), default=-1),
        error=measured[-1].summary["error"] if measured else None,
        errors=measured[-1].summary["errors"] if measured else {},
        stopped=bool(measured) and _is_stopped(directory, measured[-1].step),
        last_entry=_seconds(entries[-1].finished_at) if entries else 0.0,
    )


def _told(entries: Sequence[Entry]) -> Iterator[Mapping[str, Any]]:
    """Yield what the ledger tells of samples: of the label phases and retries, in order."""
    for entry in entries:
        if entry.phase.startswith("label") or is_retry(entry):
            yield entry.summary
            if "test" in entry.summary:
                yield entry.summary["test"]


def _asked_now(directory: Path, entries: Sequence[Entry]) -> list[str]:
    """Return the ids of the samples whose label phase is not finished."""
    done = {(entry.step, entry.phase) for entry in entries}
    files = [
        *(f"000/{name}.json" for name in ("initial", "test") if (0, "design") in done),
        *(f"{step:03d}/selection.json" for step, phase in sorted(done) if phase == "query"),
    ]
    labelled = {f"{step:03d}/selection.json" for step, phase in done if phase == "label"}
    if (0, "label_design") in done:
        labelled |= {"000/initial.json", "000/test.json"}
    waiting = [file for file in files if file not in labelled]
    return [name for file in waiting for name in _ids(directory / "steps" / file)]


def _ids(file: Path) -> list[str]:
    return [str(pick["sample"]["id"]) for pick in json.loads(file.read_text())]


def _tried(directory: Path, ids: Sequence[str]) -> Iterator[SampleRecord]:
    """Yield the records of those samples that were tried."""
    for name in ids:
        record = SampleDirectory(directory / "samples" / name).read()
        if record is not None and record.outcome is not None:
            yield record


def _outcomes(
    told: Sequence[Mapping[str, Any]], running: Sequence[SampleRecord]
) -> dict[Outcome, int]:
    """Count samples by how they stand: a later entry of the ledger instead of an earlier one."""
    known = {name: outcome for each in told for name, outcome in each.get("samples", {}).items()}
    now = {record.pick.sample.id: record.outcome for record in running}
    return {Outcome(o): n for o, n in Counter({**known, **now}.values()).items() if o}


def _labelled(entries: Sequence[Entry], pool: str) -> int:
    """Count what was appended to a pool."""
    appended = [
        entry.summary["appended" if is_retry(entry) else "samples"]
        for entry in entries
        if entry.phase.startswith("append") or is_retry(entry)
    ]
    return sum(n for each in appended for shard, n in each.items() if shard.startswith(f"{pool}/"))


def _is_stopped(directory: Path, step: int) -> bool:
    file = directory / "steps" / f"{step:03d}" / "stopping.json"
    return file.exists() and bool(json.loads(file.read_text())["stop"])


def _seconds(finished_at: str) -> float:
    return datetime.fromisoformat(finished_at).timestamp()
