"""Which of the failed samples a person means."""

from collections.abc import Sequence

from phases.campaign import Campaign
from phases.overview import all_records
from phases.progress import say
from pools.errors import UsageError
from pools.outcome import Outcome
from pools.record import SampleRecord

_SHOWN = 12


def chosen(
    campaign: Campaign, ids: Sequence[str] = (), outcomes: Sequence[Outcome] = ()
) -> list[SampleRecord]:
    """Return the failed samples that are meant, in the order in which they were asked for.

    A sample that is named and was solved meanwhile is left out: the same command may be given
    again after it was killed.

    Args:
        campaign: whose.
        ids: of the samples, or how they begin; all that failed unless given.
        outcomes: only those that failed so; however they failed unless given.

    Raises:
        UsageError: an id is unknown, stands for several samples, or is that of a sample that never
            failed; or `ok` is among the outcomes.
    """
    if Outcome.OK in outcomes:
        allowed = ", ".join(outcome.value for outcome in Outcome if outcome is not Outcome.OK)
        raise UsageError(f"outcome ok is no failure; choose among {allowed}")
    records = all_records(campaign)
    failed = [record for record in records if is_failed(campaign, record)]
    meant = {_meant(begin, records, failed) for begin in ids}
    return [
        record
        for record in failed
        if (not ids or record.pick.sample.id in meant)
        and (not outcomes or _last_outcome(record) in outcomes)
    ]


def is_failed(campaign: Campaign, record: SampleRecord) -> bool:
    """Whether a sample was tried and has no solution, or has one that was lost on disk."""
    if record.outcome is not Outcome.OK:
        return record.outcome is not None
    place = campaign.sample_directory(record.pick.sample.id)
    return not place.solution.is_file()


def _last_outcome(record: SampleRecord) -> Outcome | None:
    return record.attempts[-1].outcome if record.attempts else None


def _meant(begin: str, records: Sequence[SampleRecord], failed: Sequence[SampleRecord]) -> str:
    """Return the one id that begins so."""
    found = [record for record in failed if _begins(record, begin)]
    if len(found) > 1:
        raise UsageError(
            f"{begin!r} stands for {len(found)} failed samples: {_listed(found)}; give more of it"
        )
    if found:
        return found[0].pick.sample.id
    others = [record for record in records if _begins(record, begin)]
    if len(others) == 1 and len(others[0].attempts) > 1:
        say(f"sample {others[0].pick.sample.id} is solved already")
        return others[0].pick.sample.id
    raise UsageError(f"{_why_not(begin, others)}; {_what_there_is(failed)}")


def _begins(record: SampleRecord, begin: str) -> bool:
    return bool(begin) and record.pick.sample.id.startswith(begin)


def _why_not(begin: str, others: Sequence[SampleRecord]) -> str:
    if not others:
        return f"no sample that was tried begins with {begin!r}"
    return f"{begin!r} did not fail: {_listed(others)}"


def _what_there_is(failed: Sequence[SampleRecord]) -> str:
    return f"failed samples are {_listed(failed)}" if failed else "no sample has failed"


def _listed(records: Sequence[SampleRecord]) -> str:
    shown = ", ".join(
        f"{r.pick.sample.id} ({r.outcome.value if r.outcome else 'not tried'})"
        for r in records[:_SHOWN]
    )
    return shown + (f" and {len(records) - _SHOWN} more" if len(records) > _SHOWN else "")
