"""The append phase: one immutable shard more in the training pool."""

from collections.abc import Iterable, Sequence

from phases.asked import labelled_picks
from phases.campaign import Campaign, Work
from pools.ledger import Entry
from pools.pick import Pick
from pools.shard import write_shard
from pools.vtkhdf import read_solution


def append(campaign: Campaign, step: int) -> Entry:
    """Append the solutions of a step to the training pool."""
    shard = f"pool/step-{step:03d}.h5"
    return campaign.once(step, "append", lambda _: _append(campaign, [shard], step))


def append_design(campaign: Campaign) -> Entry:
    """Begin the training pool with the initial design, and write the test set beside it."""
    shards = ["pool/initial.h5", "test/test.h5"]
    return campaign.once(0, "append_design", lambda _: _append(campaign, shards, 0))


def rebuild_shard(campaign: Campaign, shard: str, step: int) -> int:
    """Write a shard of the pool anew, and return how many samples it holds.

    It holds those whose solutions the ledger recorded for it: not those that were solved later.
    The same solutions give the same file.
    """
    *labelled, source = _sources(campaign, shard, step)
    picks = labelled_picks(campaign, [*labelled, source], shard.partition("/")[0])
    held = [pick for pick in picks if solution_name(pick) in source.artifacts]
    return write_pool_shard(campaign, shard, held)


def write_pool_shard(campaign: Campaign, shard: str, picks: Sequence[Pick]) -> int:
    """Write one shard from its samples' solutions and return how many it holds."""
    files = [campaign.sample_directory(pick.sample.id).solution for pick in picks]
    solutions = [read_solution(file) for file in files]
    write_shard(campaign.directory / shard, solutions, campaign.config.parameters.names)
    return len(solutions)


def solution_name(pick: Pick) -> str:
    """Return the path of a sample's solution as the ledger names it."""
    return f"samples/{pick.sample.id}/solution.vtkhdf"


def _sources(campaign: Campaign, shard: str, step: int) -> list[Entry]:
    """Return the entries that asked for what a shard holds; the last names the solutions."""
    entries = campaign.ledger.entries()
    if shard in {"pool/initial.h5", "test/test.h5"}:
        return [e for e in entries if e.phase == "label_design"]
    if shard == f"pool/step-{step:03d}.h5":
        return [e for e in entries if (e.phase, e.step) == ("label", step)]
    retry = next(i for i, entry in enumerate(entries) if shard in entry.artifacts)
    return entries[: retry + 1]  # it names its solutions; any phase before it may have asked


def _append(campaign: Campaign, shards: Iterable[str], step: int) -> Work:
    counts = {shard: rebuild_shard(campaign, shard, step) for shard in shards}
    return Work([campaign.directory / shard for shard in shards], {"samples": counts})
