"""The label phase: ask the solver, sample by sample, then say how it went."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from phases.accepted import is_accepted
from phases.asked import initial_picks, queried_picks, test_picks
from phases.campaign import Campaign, Work
from phases.fit import fitting
from phases.neighbours import neighbours
from phases.outcomes import told
from pools.errors import TooFewLabelsError
from pools.ledger import Entry
from pools.outcome import Outcome
from pools.pick import Pick
from pools.record import SampleRecord
from solvers.label import NOTHING_BY_HAND, ByHand, label_one
from solvers.workers import SolverWorkers


def label_sample(
    campaign: Campaign,
    step: int,
    pick: Pick,
    workers: SolverWorkers,
    *,
    retry_failed: bool,
    by_hand: ByHand = NOTHING_BY_HAND,
) -> SampleRecord:
    """Obtain the solution of one pick; raises SolverError where there is none."""
    policy = campaign.config.label
    starting = any(rung.start == "nearest" for rung in policy.recovery)
    record = label_one(
        SampleRecord(pick, step),
        campaign.sample_directory(pick.sample.id).path,
        workers,
        policy,
        retry_failed=retry_failed,
        by_hand=by_hand,
        neighbours=neighbours(campaign, step, pick.sample) if starting else (),
    )
    return fitting(campaign, record)


def solver_workers(campaign: Campaign, count: int) -> SolverWorkers:
    """Return where so many samples of a campaign are solved at once, at any level."""
    return SolverWorkers(campaign.config.solver, count, campaign.config.level_changes)


def step_to_solve(campaign: Campaign, step: int) -> list[Pick]:
    """Return what the query of a step chose; nothing once its label phase is finished."""
    return [] if campaign.ledger.find(step, "label") else queried_picks(campaign, step)


def design_to_solve(campaign: Campaign) -> list[Pick]:
    """Return the initial design and the test set; nothing once they are labelled."""
    if campaign.ledger.find(0, "label_design"):
        return []
    return [*initial_picks(campaign), *test_picks(campaign)]


def conclude_label(campaign: Campaign, step: int, spent: float = 0.0) -> Entry:
    """Finish the label phase of a step once every sample was tried.

    Args:
        campaign: whose.
        step: which.
        spent: seconds that this process waited for the samples.

    Raises:
        TooFewLabelsError: fewer succeeded than the campaign asks for.
    """
    picks = queried_picks(campaign, step)
    return campaign.once(step, "label", lambda _: _conclude(campaign, step, picks), spent=spent)


def conclude_design_label(campaign: Campaign, spent: float = 0.0) -> Entry:
    """Finish the labelling of the initial design and the test set, as `conclude_label`."""
    return campaign.once(0, "label_design", lambda _: _conclude_design(campaign), spent=spent)


def records_of(campaign: Campaign, picks: Sequence[Pick]) -> list[SampleRecord]:
    """Return the records of these picks that there are, in the picks' order."""
    found = [campaign.sample_directory(pick.sample.id).read() for pick in picks]
    return [record for record in found if record is not None]


def solved(records: Sequence[SampleRecord]) -> list[SampleRecord]:
    """Return the records that have a solution."""
    return [record for record in records if record.outcome is Outcome.OK]


def _conclude(campaign: Campaign, step: int, picks: Sequence[Pick]) -> Work:
    records = records_of(campaign, picks)
    enough = _enough(campaign, step, "label")
    _check_enough(campaign, records, len(picks), enough, f"step {step}")
    return Work(_files(campaign, records), _summary(records, len(picks)))


def _conclude_design(campaign: Campaign) -> Work:
    initial, test = initial_picks(campaign), test_picks(campaign)
    initial_records, test_records = records_of(campaign, initial), records_of(campaign, test)
    enough = _enough(campaign, 0, "label_design")
    _check_enough(campaign, initial_records, len(initial), enough, "the initial design")
    _check_enough(campaign, test_records, len(test), enough, "the test set")
    summary = _summary(initial_records, len(initial))
    files = _files(campaign, [*initial_records, *test_records])
    return Work(files, {**summary, "test": _summary(test_records, len(test))})


def _enough(campaign: Campaign, step: int, phase: str) -> float:
    """Return the share of samples that must be solved; a person may have said that any will do."""
    if is_accepted(campaign, step, phase):
        return 0.0
    return campaign.config.label.min_success_fraction


def _check_enough(
    campaign: Campaign, records: Sequence[SampleRecord], asked: int, enough: float, where: str
) -> None:
    count = len(solved(records))
    if count >= max(enough * asked, 1):
        return
    failed = Counter(r.outcome.value for r in records if r.outcome not in {None, Outcome.OK})
    kinds = ", ".join(f"{n} {outcome}" for outcome, n in sorted(failed.items()))
    raise TooFewLabelsError(
        f"only {count} of {asked} samples of {where} were solved ({kinds}), fewer than "
        f"label.min_success_fraction = {enough:g} asks for; `solverloop failures "
        f"{campaign.directory}` says why, `solverloop retry {campaign.directory}` solves them "
        "again, with other settings if you like (--set); then run the campaign again. Or lower "
        "the fraction with --set label.min_success_fraction=..."
    )


def _files(campaign: Campaign, records: Sequence[SampleRecord]) -> list[Path]:
    return [campaign.sample_directory(r.pick.sample.id).solution for r in solved(records)]


def _summary(records: Sequence[SampleRecord], asked: int) -> dict[str, object]:
    outcomes = Counter(r.outcome.value for r in records if r.outcome is not None)
    return {
        "asked": asked,
        "solved": len(solved(records)),
        "outcomes": dict(sorted(outcomes.items())),
        "attempts": sum(len(record.attempts) for record in records),
        "solver_seconds": round(sum(record.seconds for record in records), 3),
        **told(records),
    }
