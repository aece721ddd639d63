"""How a campaign stands, in numbers."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from phases.asked import initial_picks, queried_picks, test_picks
from phases.campaign import Campaign
from phases.label import records_of
from phases.seen import is_retry
from phases.tally import Tally
from pools.ledger import Entry
from pools.outcome import Outcome
from pools.pick import Pick
from pools.record import SampleRecord


@dataclass(frozen=True, slots=True)
class StepOverview:
    """One step.

    Attributes:
        step: which.
        labelled: training samples when it trained; None before.
        error: the headline error; None before its metrology.
        asked: samples its query asked for.
        outcomes: how they ended, by outcome; `pending` for those not tried yet.
        solver_seconds: seconds that the solver ran for them.
        phases: seconds of each finished phase.
        levels: samples asked of each level of the solver; none without levels.
    """

    step: int
    labelled: int | None
    error: float | None
    asked: int
    outcomes: dict[str, int]
    solver_seconds: float
    phases: dict[str, float]
    levels: dict[str, int]

    @property
    def asked_in_words(self) -> str:
        """How many samples were asked for, and of which level: `6: 4 coarse, 2 fine`."""
        levels = ", ".join(f"{n} {name}" for name, n in self.levels.items())
        return f"{self.asked}: {levels}" if levels else str(self.asked)


@dataclass(frozen=True, slots=True)
class LevelOverview:
    """What was asked of one level of the solver.

    Attributes:
        name: of the level.
        asked: samples that were tried, of the test set too.
        failed: those of them without a solution.
        mean_seconds: that the solver ran for one.
    """

    name: str
    asked: int
    failed: int
    mean_seconds: float


def levels_of(campaign: Campaign) -> list[LevelOverview]:
    """Return every level of the solver that was asked, the cheapest first; none without levels."""
    records = [record for record in all_records(campaign) if record.outcome is not None]
    config = campaign.config
    by_level = {
        level.name: [r for r in records if config.called(r.pick.sample.level) == level.name]
        for level in config.levels
    }
    return [_level(name, tried) for name, tried in by_level.items() if tried]


def _level(name: str, records: Sequence[SampleRecord]) -> LevelOverview:
    return LevelOverview(
        name=name,
        asked=len(records),
        failed=sum(record.outcome is not Outcome.OK for record in records),
        mean_seconds=fmean(record.seconds for record in records),
    )


def steps_of(campaign: Campaign) -> list[StepOverview]:
    """Return every step that began."""
    entries = [entry for entry in campaign.ledger.entries() if not is_retry(entry)]
    return [_step(campaign, step, entries) for step in sorted({e.step for e in entries})]


def step_of(campaign: Campaign, step: int) -> StepOverview:
    """Return one step that began."""
    entries = [entry for entry in campaign.ledger.entries() if not is_retry(entry)]
    return _step(campaign, step, entries)


def design_records(campaign: Campaign) -> tuple[list[SampleRecord], list[SampleRecord]]:
    """Return the records of the initial design and of the test set, as far as there are any."""
    if campaign.ledger.find(0, "design") is None:
        return [], []
    initial, test = initial_picks(campaign), test_picks(campaign)
    return records_of(campaign, initial), records_of(campaign, test)


def asked_by_step(campaign: Campaign, step: int) -> list[Pick]:
    """Return what the query of a step chose; nothing before it ran."""
    return queried_picks(campaign, step) if campaign.ledger.find(step, "query") else []


def all_records(campaign: Campaign) -> list[SampleRecord]:
    """Return the records of all samples that were tried."""
    initial, test = design_records(campaign)
    steps = {entry.step for entry in campaign.ledger.entries()}
    picks = [pick for step in sorted(steps) for pick in asked_by_step(campaign, step)]
    return [*initial, *test, *records_of(campaign, picks)]


def failures(campaign: Campaign) -> list[SampleRecord]:
    """Return the records of the samples that have no solution."""
    return [r for r in all_records(campaign) if r.outcome not in {None, Outcome.OK}]


def tally_of(campaign: Campaign, step: int) -> Tally:
    """Count how the samples ended that the query of a step chose."""
    picks = asked_by_step(campaign, step)
    return Tally.of(records_of(campaign, picks), len(picks))


def design_in_words(campaign: Campaign) -> str:
    """Say how the initial design went: `6 solved; test set: 8 solved`."""
    initial, test = design_records(campaign)
    return f"{Tally.of(initial)}; test set: {Tally.of(test)}"


def _step(campaign: Campaign, step: int, entries: Sequence[Entry]) -> StepOverview:
    mine = {entry.phase: entry for entry in entries if entry.step == step}
    picks = asked_by_step(campaign, step)
    records = records_of(campaign, picks)
    outcomes = Counter(r.outcome.value for r in records if r.outcome is not None)
    if pending := len(picks) - outcomes.total():
        outcomes["pending"] = pending
    measured = mine["metrology"].summary if "metrology" in mine else {}
    return StepOverview(
        step=step,
        labelled=mine["train"].summary["labelled"] if "train" in mine else None,
        error=measured.get("error"),
        asked=len(picks),
        outcomes=dict(outcomes),
        solver_seconds=sum(record.seconds for record in records),
        phases={phase: entry.seconds for phase, entry in mine.items()},
        levels=_counted(campaign, picks),
    )


def _counted(campaign: Campaign, picks: Sequence[Pick]) -> dict[str, int]:
    """Count picks by the level that is asked, the cheapest first; nothing without levels."""
    called = Counter(campaign.config.called(pick.sample.level) for pick in picks)
    return {e.name: called[e.name] for e in campaign.config.levels if called[e.name]}
