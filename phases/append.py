"""The append phase: one immutable shard more in the training pool."""

from collections.abc import Sequence

from phases.asked import initial_picks, queried_picks, test_picks
from phases.campaign import Campaign, Work
from phases.label import records_of, solved
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


def write_pool_shard(campaign: Campaign, shard: str, step: int) -> int:
    """Write one shard from its samples' solutions and return how many it holds.

    The same solutions give the same file, so this also rebuilds a shard that was damaged.
    """
    records = solved(records_of(campaign, _picks(campaign, shard, step)))
    files = [campaign.sample_directory(r.pick.sample.id).solution for r in records]
    solutions = [read_solution(file) for file in files]
    write_shard(campaign.directory / shard, solutions, campaign.config.parameters.names)
    return len(solutions)


def _picks(campaign: Campaign, shard: str, step: int) -> list[Pick]:
    match shard:
        case "pool/initial.h5":
            return initial_picks(campaign)
        case "test/test.h5":
            return test_picks(campaign)
        case _:
            return queried_picks(campaign, step)


def _append(campaign: Campaign, shards: Sequence[str], step: int) -> Work:
    counts = {shard: write_pool_shard(campaign, shard, step) for shard in shards}
    return Work([campaign.directory / shard for shard in shards], {"samples": counts})
