"""Whether an answer to a changed question can stand beside the others in the pool."""

from phases.campaign import Campaign
from pools.errors import SolverError
from pools.record import SampleRecord
from pools.shard import PoolSchema, Shard
from pools.vtkhdf import read_solution


def fitting(campaign: Campaign, record: SampleRecord) -> SampleRecord:
    """Return the record of a solved sample whose answer fits into the pool.

    Raises:
        SolverError: it does not; its record says so, and its solution is back with its attempt.
    """
    record = without_misfit(campaign, record)
    if record.solution is None:
        place, last = campaign.sample_directory(record.pick.sample.id), record.attempts[-1]
        raise SolverError(last.outcome, last.reason, place.path / last.directory, last.log_tail)
    return record


def without_misfit(campaign: Campaign, record: SampleRecord) -> SampleRecord:
    """Take back a solution that changed settings brought and that does not fit into the pool."""
    if reason := _misfit(campaign, record):
        return campaign.sample_directory(record.pick.sample.id).withdraw(record, reason)
    return record


def _misfit(campaign: Campaign, record: SampleRecord) -> str:
    """Say why the answer does not fit; only changed settings can bring another kind of answer."""
    shards = campaign.shards()
    if record.solution is None or not record.attempts[-1].changes or not shards:
        return ""
    solution = read_solution(campaign.sample_directory(record.pick.sample.id).solution)
    pool = Shard.open(shards[0]).schema
    found = PoolSchema.of(solution, campaign.config.parameters.names)
    if pool.holds(found):
        return ""
    return (
        f"with {dict(record.attempts[-1].changes)} the solver answered {found}, but the pool "
        f"holds {pool}; change what leaves the mesh's points as they are, or resample the fields "
        "to a common grid"
    )
