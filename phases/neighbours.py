"""The solved samples nearest to one that is hard to solve: a recovery may start from them."""

import numpy as np

from phases.campaign import Campaign
from pools.sample import Sample
from pools.shard import Shard
from solvers.label import Neighbour

_COUNT = 4  # the first is taken; the others stand in for one whose solution is lost


def neighbours(campaign: Campaign, step: int, sample: Sample) -> list[Neighbour]:
    """Return the samples nearest in the unit cube of the parameters, nearest first.

    Only samples that were in the pool when the step began: however often a campaign is killed,
    the same sample has the same neighbours. The initial design has none, and neither has what is
    asked of a cheaper level of the solver: what is kept of that is on the mesh of the finest.
    """
    if sample.level:
        return []
    space = campaign.config.parameters
    shards = [Shard.open(path) for path in campaign.shards(before=step)]
    found = [
        Sample(name, dict(zip(shard.schema.parameters, row.tolist(), strict=True)))
        for shard in shards
        for name, row, level in zip(shard.ids, shard.parameters, shard.levels, strict=True)
        if name != sample.id and not level
    ]
    if not found:
        return []
    rows = np.stack([one.row(space.names) for one in (sample, *found)])  # (1 + m, d)
    cube = space.normalise(rows)
    distances = np.linalg.norm(cube[1:] - cube[0], axis=1)  # (m,)
    order = sorted(range(len(found)), key=lambda index: (distances[index], found[index].id))
    nearest = [found[index] for index in order[:_COUNT]]
    return [Neighbour(one, campaign.sample_directory(one.id).path) for one in nearest]
