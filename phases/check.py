"""Verify a campaign's files, and rebuild what can be rebuilt."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from phases.append import write_pool_shard
from phases.campaign import Campaign
from pools.errors import SolverloopError
from pools.files import digest
from pools.ledger import Entry


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
    """Verify every file that the ledger names; rebuild damaged shards from the samples."""
    for entry in campaign.ledger.entries():
        for name, expected in entry.artifacts.items():
            file = campaign.directory / name
            if file.is_file() and digest(file) == expected:
                yield Finding(name, "intact")
            else:
                yield _mend(campaign, entry, name)


def _mend(campaign: Campaign, entry: Entry, name: str) -> Finding:
    """Rebuild a shard; say of anything else how it can be had again."""
    if not entry.phase.startswith("append"):
        return Finding(name, "damaged", _way_out(name, entry))
    try:
        write_pool_shard(campaign, name, entry.step)
    except SolverloopError as error:
        return Finding(name, "damaged", f"its samples cannot be read: {error}")
    if digest(campaign.directory / name) != entry.artifacts[name]:
        return Finding(name, "damaged", "rebuilt from the samples, but it is not the same file")
    return Finding(name, "rebuilt", "from the samples' solutions")


def _way_out(name: str, entry: Entry) -> str:
    if name.startswith("samples/"):
        sample = name.split("/")[1]
        return f"restore it from a backup, or start a new campaign without sample {sample}"
    return (
        f"restore it from a backup, or cut ledger.jsonl before the line of {entry.phase} of step "
        f"{entry.step}: the phases from there on are then done again, solved samples are not"
    )
