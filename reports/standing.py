"""How a campaign stands, in words."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from phases.campaign import Campaign
from phases.overview import all_records, design_records
from pools.ledger import Entry
from pools.outcome import Outcome
from pools.record import SampleRecord
from strategies.stopping import Signal


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the stopping rules said after the metrology of a step.

    Attributes:
        step: which.
        reason: why the campaign stops; empty where it goes on.
        signals: of every rule.
    """

    step: int
    reason: str
    signals: tuple[Signal, ...]


@dataclass(frozen=True, slots=True)
class Standing:
    """A campaign at a glance.

    Attributes:
        labelled: training samples that are solved.
        tested: test samples that are solved.
        failures: samples without a solution.
        solver_seconds: of all samples, test set included.
        summary: whether it stopped or goes on, and why.
        verdict: the last one; None before the first.
    """

    labelled: int
    tested: int
    failures: tuple[SampleRecord, ...]
    solver_seconds: float
    summary: str
    verdict: Verdict | None


def standing(campaign: Campaign) -> Standing:
    """Look at a campaign, whether it is running, interrupted or finished."""
    records, (_, test) = all_records(campaign), design_records(campaign)
    solved = sum(record.outcome is Outcome.OK for record in records)
    tested = sum(record.outcome is Outcome.OK for record in test)
    failed = [r for r in records if r.outcome not in {None, Outcome.OK}]
    entries = campaign.ledger.entries()
    steps = [entry.step for entry in entries if entry.phase == "metrology"]
    verdict = verdict_of(campaign, max(steps)) if steps else None
    return Standing(
        labelled=solved - tested,
        tested=tested,
        failures=tuple(failed),
        solver_seconds=sum(record.seconds for record in records),
        summary=_summary(verdict, entries),
        verdict=verdict,
    )


def verdict_of(campaign: Campaign, step: int) -> Verdict | None:
    """Read what the stopping rules said at a step; None before they were asked."""
    file = campaign.step_directory(step) / "stopping.json"
    if not file.exists():
        return None
    content = json.loads(file.read_text())
    signals = tuple(Signal(**signal) for signal in content.get("signals", []))
    return Verdict(step, content["reason"] if content["stop"] else "", signals)


def _summary(verdict: Verdict | None, entries: Sequence[Entry]) -> str:
    if verdict is not None and verdict.reason:
        return f"Stopped after step {verdict.step}. {verdict.reason}."
    if not entries:
        return "Nothing is finished yet."
    last = entries[-1]
    phase = last.phase.replace("_", " ")
    return (
        f"Goes on: no stopping rule has decided. The last finished phase is {phase} of step "
        f"{last.step}, at {last.finished_at}."
    )
