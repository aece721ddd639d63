"""Retry by hand: solve again what failed, and append what succeeds as a shard of its own.

A sample whose label phase is not finished is only solved: its own step appends it. One whose label
phase is finished, or a failed sample of the test set, is appended here; the first step that trains
afterwards sees it. What a killed retry solved is found by the next, or when the campaign goes on.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from phases.append import solution_name, write_pool_shard
from phases.asked import labelled_picks
from phases.campaign import Campaign, Work
from phases.fit import without_misfit
from phases.label import records_of
from phases.outcomes import told
from phases.retry_choice import chosen
from phases.seen import is_retry, retry_phase
from phases.slots import cores_here, slot_problems
from pools.errors import BusyError, TooFewLabelsError, UsageError
from pools.ledger import Entry
from pools.outcome import Outcome
from pools.pick import Pick
from pools.record import SampleRecord, Setting
from solvers.changes import changed
from solvers.label import ByHand, recover_record
from solvers.loosened import loosened

_POOLS = ("pool", "test")


@dataclass(frozen=True, slots=True)
class Plan:
    """What a retry will do.

    Attributes:
        records: the failed samples to solve again.
        by_hand: what is changed for them.
    """

    records: Sequence[SampleRecord]
    by_hand: ByHand


def plan_retry(
    campaign: Campaign,
    ids: Sequence[str] = (),
    outcomes: Sequence[Outcome] = (),
    by_hand: ByHand | None = None,
) -> Plan:
    """Choose the failed samples to solve again, and check all that can be wrong with it before.

    Args:
        campaign: whose.
        ids: of the samples, or how they begin; all that failed unless given.
        outcomes: only those that failed so; however they failed unless given.
        by_hand: what to change for them.

    Raises:
        UsageError: an id is no failed sample's, a change is none that the solver allows or asks
            for more ranks than there are cores, or the solver is another one than the campaign
            began with.
    """
    by_hand = by_hand or ByHand()
    campaign.check_solver()
    solver = changed(campaign.config.solver, by_hand.changes)
    if found := slot_problems(campaign.config.model_copy(update={"solver": solver}), cores_here()):
        raise UsageError("\n".join(found))
    if by_hand.timeout_seconds is not None and not 0 < by_hand.timeout_seconds < float("inf"):
        raise UsageError(
            f"the timeout is {by_hand.timeout_seconds:g} s; give a number of seconds above 0"
        )
    return Plan(chosen(campaign, ids, outcomes), by_hand)


def append_retried(
    campaign: Campaign, tried: Sequence[SampleRecord] = (), spent: float = 0.0
) -> Entry | None:
    """Append what was solved after its label phase had finished, a shard for each pool.

    Args:
        campaign: whose.
        tried: what this retry tried; without it, only what a killed one left is looked for.
        spent: seconds that this process waited for the samples.

    Returns:
        The retry's entry in the ledger; None where nothing was tried since the last entry.
    """
    known = campaign.ledger.entries()
    asked = {pool: labelled_picks(campaign, known, pool) for pool in _POOLS}
    named = {name for entry in known for name in entry.artifacts}
    records = {pool: _settled(campaign, picks, named) for pool, picks in asked.items()}
    late = {pool: _late(campaign, found, named) for pool, found in records.items()}
    costs = {pool: _uncounted(known, found, pool) for pool, found in records.items()}
    if not any(late.values()) and not any(cost["attempts"] > 0 for cost in costs.values()):
        return None
    number = 1 + sum(is_retry(entry) for entry in known)
    meant = {r.pick.sample.id for r in [*tried, *late["pool"], *late["test"]]}
    tried_now = [r for found in records.values() for r in found if r.pick.sample.id in meant]
    summary = {**_summary(tried_now), **costs["pool"], "test": costs["test"]}
    return campaign.once(
        campaign.next_to_train(),
        retry_phase(number),
        lambda _: _append(campaign, number, late, summary),
        spent=spent,
    )


def append_if_free(campaign: Campaign, pick: Pick) -> str:
    """Append a sample that was solved after its step went on without it; say where it is now."""
    known = campaign.ledger.entries()
    if not any(pick in labelled_picks(campaign, known, pool) for pool in _POOLS):
        return "its step appends it"
    try:
        with campaign.exclusive():
            entry = append_retried(campaign)
    except BusyError:
        return "the campaign appends it before its next step"
    return "appended to the pool" if entry else "it is in the pool"


def conclude(campaign: Campaign, plan: Plan) -> str:
    """Say how a retry went: `3 of 5 solved: 2 diverged`.

    Raises:
        TooFewLabelsError: samples were tried and none was solved.
    """
    if not plan.records:
        return "nothing to retry: no such sample is without a solution"
    records = records_of(campaign, [record.pick for record in plan.records])
    looser = loosened(campaign.config.solver, plan.by_hand.changes)
    message = in_words(records) + (f", {looser}" if looser else "")
    if not any(record.outcome is Outcome.OK for record in records):
        raise TooFewLabelsError(
            f"{message}; `solverloop failures {campaign.directory}` shows why; try other settings "
            "with --set, or a longer --timeout"
        )
    return message


def in_words(records: Sequence[SampleRecord]) -> str:
    """Count samples by how they stand: `3 of 5 solved: 2 diverged`."""
    counts = Counter(record.outcome for record in records)
    solved = counts.pop(Outcome.OK, 0)
    failed = ", ".join(
        f"{n} {outcome.value.replace('_', ' ')}" for outcome, n in counts.items() if outcome
    )
    return f"{solved} of {len(records)} solved" + (f": {failed}" if failed else "")


def retries_of(campaign: Campaign) -> list[Entry]:
    """Return the entries of all retries, in order."""
    return [entry for entry in campaign.ledger.entries() if is_retry(entry)]


def _settled(
    campaign: Campaign, picks: Sequence[Pick], named: Collection[str]
) -> list[SampleRecord]:
    """Return the samples' records, with what a killed retry had no time to record."""
    records = records_of(campaign, picks)
    return [
        record
        if solution_name(record.pick) in named
        else without_misfit(campaign, _with_all_attempts(campaign, record))
        for record in records
    ]


def _with_all_attempts(campaign: Campaign, record: SampleRecord) -> SampleRecord:
    if record.outcome is Outcome.OK:
        return record
    place = campaign.sample_directory(record.pick.sample.id)
    known = {attempt.directory for attempt in record.attempts}
    is_cut = any(directory.name not in known for directory in place.attempts())
    return recover_record(record, place.path) if is_cut else record


def _late(
    campaign: Campaign, records: Sequence[SampleRecord], named: Collection[str]
) -> list[SampleRecord]:
    """Return the samples that have a solution which no entry of the ledger names."""
    return [
        record
        for record in records
        if solution_name(record.pick) not in named
        and campaign.sample_directory(record.pick.sample.id).is_solved(record)
    ]


def _uncounted(
    known: Sequence[Entry], records: Sequence[SampleRecord], pool: str
) -> dict[str, Any]:
    """Return attempts and solver seconds that no entry of the ledger has counted yet."""
    summaries = [e.summary for e in known if e.phase.startswith("label") or is_retry(e)]
    if pool == "test":
        summaries = [summary["test"] for summary in summaries if "test" in summary]
    attempts = sum(len(record.attempts) for record in records)
    seconds = sum(record.seconds for record in records)
    counted = sum(summary["solver_seconds"] for summary in summaries)
    return {
        "attempts": attempts - sum(summary["attempts"] for summary in summaries),
        "solver_seconds": round(max(seconds - counted, 0.0), 3),
    }


def _summary(records: Sequence[SampleRecord]) -> dict[str, Any]:
    """Say which samples a retry tried, how they stand now, and what was changed for them."""
    outcomes = Counter(record.outcome.value for record in records if record.outcome)
    return {
        "asked": len(records),
        "solved": outcomes[Outcome.OK.value],
        "outcomes": dict(sorted(outcomes.items())),
        **told(records),
        "changes": {r.pick.sample.id: changes for r in records if (changes := _changes(r))},
    }


def _changes(record: SampleRecord) -> dict[str, Setting]:
    return dict(record.attempts[-1].changes) if record.attempts else {}


def _append(
    campaign: Campaign,
    number: int,
    late: Mapping[str, Sequence[SampleRecord]],
    summary: dict[str, Any],
) -> Work:
    """Write a shard for each pool that has something new."""
    files, counts = [], {}
    for pool, records in late.items():
        if not records:
            continue
        shard = f"{pool}/{retry_phase(number)}.h5"
        picks = [record.pick for record in records]
        counts[shard] = write_pool_shard(campaign, shard, picks)
        files += [campaign.directory / name for name in (shard, *map(solution_name, picks))]
    return Work(files, {**summary, "appended": counts})
