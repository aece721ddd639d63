"""How a campaign stands, in words."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from phases.campaign import Campaign
from phases.overview import all_records, design_records
from pools.ledger import Entry
from pools.outcome import Outcome
from pools.record import SampleRecord
from strategies.stopping import Decision


@dataclass(frozen=True, slots=True)
class Standing:
    """A campaign at a glance.

    Attributes:
        labelled: training samples that are solved.
        tested: test samples that are solved.
        failures: samples without a solution.
        solver_seconds: of all samples, test set included.
        summary: whether it stopped or goes on, and why.
        step: the last that was measured; None before the first.
        decision: what the stopping rules said after it; None before they were asked.
    """

    labelled: int
    tested: int
    failures: tuple[SampleRecord, ...]
    solver_seconds: float
    summary: str
    step: int | None
    decision: Decision | None


def standing(campaign: Campaign) -> Standing:
    """Look at a campaign, whether it is running, interrupted or finished."""
    records, (_, test) = all_records(campaign), design_records(campaign)
    solved = sum(record.outcome is Outcome.OK for record in records)
    tested = sum(record.outcome is Outcome.OK for record in test)
    failed = [r for r in records if r.outcome not in {None, Outcome.OK}]
    entries = campaign.ledger.entries()
    steps = [entry.step for entry in entries if entry.phase == "metrology"]
    step = max(steps, default=None)
    decision = None if step is None else decision_of(campaign, step)
    return Standing(
        labelled=solved - tested,
        tested=tested,
        failures=tuple(failed),
        solver_seconds=sum(record.seconds for record in records),
        summary=_summary(decision, entries),
        step=step,
        decision=decision,
    )


def decision_of(campaign: Campaign, step: int) -> Decision | None:
    """Read what the stopping rules said after a step; None before they were asked."""
    file = campaign.step_directory(step) / "stopping.json"
    return Decision.from_json(json.loads(file.read_text())) if file.exists() else None


def _summary(decision: Decision | None, entries: Sequence[Entry]) -> str:
    if decision is not None and decision.stop:
        return f"Stopped: {decision.reason}"
    if not entries:
        return "Nothing is finished yet."
    last = entries[-1]
    phase = last.phase.replace("_", " ")
    return (
        f"Goes on: no stopping rule has decided. The last finished phase is {phase} of step "
        f"{last.step}, at {last.finished_at}."
    )
