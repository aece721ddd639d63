"""Verify a campaign's files, and make again what can be made again."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from phases.append import rebuild_shard
from phases.asked import initial_picks, queried_picks, test_picks
from phases.campaign import Campaign
from phases.design import draw
from phases.metrology import measure
from phases.query import choose
from phases.seen import is_retry
from phases.train import train_surrogate
from pools.errors import IntegrityError, SolverloopError
from pools.files import digest, publish_bytes
from pools.ledger import Entry
from pools.pick import Pick
from pools.record import SampleRecord
from solvers.label import recover_record

_FROM_EARLIER_FILES = frozenset({"train", "metrology", "query"})


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found about one file.

    Attributes:
        file: path relative to the campaign.
        state: `intact`; `rebuilt` to the recorded digest; or `damaged` beyond what can be rebuilt.
        remark: what to do about it.
    """

    file: str
    state: Literal["intact", "rebuilt", "damaged"]
    remark: str = ""


def check(campaign: Campaign) -> Iterator[Finding]:
    """Verify every file that the ledger names, and every sample's record; rebuild what is damaged.

    Shards come from the samples. Designs, checkpoints, metrics and selections come from the files
    before them in the ledger and the phase's seed. Only a sample's solution cannot be had again
    without the solver.
    """
    sound = True
    for line, entry in enumerate(campaign.ledger.entries(), start=1):
        for finding in _check_entry(campaign, entry, line, sound=sound):
            sound = sound and finding.state != "damaged"
            yield finding
        if sound:
            yield from _check_records(campaign, _asked_in(campaign, entry), entry.step)


def _check_entry(campaign: Campaign, entry: Entry, line: int, *, sound: bool) -> Iterator[Finding]:
    broken = []
    for name in entry.artifacts:
        if _is_as_recorded(campaign, entry, name):
            yield Finding(name, "intact")
        else:
            broken.append(name)
    lost = [name for name in broken if name.startswith("samples/")]
    yield from (Finding(name, "damaged", _way_out(name, entry, line)) for name in lost)
    if mendable := [name for name in broken if name not in lost]:
        yield from _mend(campaign, entry, mendable, sound=sound)


def _mend(
    campaign: Campaign, entry: Entry, broken: Sequence[str], *, sound: bool
) -> list[Finding]:
    """Do the phase's work again, and say which of its broken files are now as they were."""
    problem = "made again, but it is not the same file: other versions of the packages made it"
    if entry.phase in _FROM_EARLIER_FILES and not sound:
        problem = "it is made from files that are damaged, see above: mend those, then check again"
    else:
        try:
            with _intact_ones_kept(campaign, entry):
                _redo(campaign, entry, broken)
        except SolverloopError as error:
            problem = f"it cannot be made again: {error}"
    return [_after(campaign, entry, name, problem) for name in broken]


def _redo(campaign: Campaign, entry: Entry, broken: Sequence[str]) -> None:
    match entry.phase:
        case "design":
            draw(campaign)
        case "train":
            train_surrogate(campaign, entry.step, entry.seed)
        case "metrology":
            measure(campaign, entry.step)
        case "query":
            choose(campaign, entry.step)
        case _:
            for shard in broken:
                rebuild_shard(campaign, shard, entry.step)


def _after(campaign: Campaign, entry: Entry, name: str, problem: str) -> Finding:
    if _is_as_recorded(campaign, entry, name):
        return Finding(name, "rebuilt", f"by the work of {entry.phase} of step {entry.step}")
    return Finding(name, "damaged", problem)


@contextmanager
def _intact_ones_kept(campaign: Campaign, entry: Entry) -> Iterator[None]:
    """Put back the phase's files that were intact, should doing it again give other ones."""
    apart = (".h5", "solution.vtkhdf")  # shards are apart, and solutions are never made again
    names = [name for name in entry.artifacts if not name.endswith(apart)]
    kept = {
        name: (campaign.directory / name).read_bytes()
        for name in names
        if _is_as_recorded(campaign, entry, name)
    }
    try:
        yield
    finally:
        for name, content in kept.items():
            if not _is_as_recorded(campaign, entry, name):
                publish_bytes(campaign.directory / name, content)


def _is_as_recorded(campaign: Campaign, entry: Entry, name: str) -> bool:
    file = campaign.directory / name
    return file.is_file() and digest(file) == entry.artifacts[name]


def _asked_in(campaign: Campaign, entry: Entry) -> list[Pick]:
    """Return what a design or a query asked for; nothing for other phases."""
    match entry.phase:
        case "design":
            return [*initial_picks(campaign), *test_picks(campaign)]
        case "query":
            return queried_picks(campaign, entry.step)
        case _:
            return []


def _check_records(campaign: Campaign, picks: Sequence[Pick], step: int) -> Iterator[Finding]:
    """Write the records that are damaged or missing anew, from what the attempts left."""
    for pick in picks:
        place = campaign.sample_directory(pick.sample.id)
        try:
            lost = place.read() is None and bool(place.attempts())
        except IntegrityError:
            lost = True
        if lost:
            recover_record(SampleRecord(pick, step), place.path)
            name = f"samples/{pick.sample.id}/sample.json"
            yield Finding(name, "rebuilt", "from what the attempts left")


def _way_out(name: str, entry: Entry, line: int) -> str:
    """Say how the solution of a sample can be had again."""
    sample = name.split("/")[1]
    again = f"`solverloop retry DIR {sample}`, then " if is_retry(entry) else ""
    return (
        f"only the solver can make it again: restore it from a backup, or cut ledger.jsonl before "
        f"line {line} ({entry.phase} of step {entry.step}) and {again}run the campaign again; "
        f"sample {sample} is then solved anew, and no other"
    )
