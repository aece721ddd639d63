"""`solverloop retry`."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from flows.console import shown, standard_output
from flows.duration import seconds_of
from flows.interrupt import interruptible
from phases.campaign import Campaign
from phases.campaign_file import read_changes
from phases.retry import Plan, append_retried, conclude, plan_retry, retries_of
from pools.ledger import Entry
from pools.outcome import Outcome
from reports.standing import decision_of
from solvers.label import ByHand
from solvers.loosened import loosened


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command line says.

    Attributes:
        ids: of the samples, or how they begin.
        outcomes: only those that failed so.
        changes: of the solver's settings, as `KEY.KEY=VALUE`.
        timeout: deadline of each attempt, such as `2h`.
        workers: how many samples are solved at once.
    """

    ids: Sequence[str]
    outcomes: Sequence[Outcome]
    changes: Sequence[str]
    timeout: str | None
    workers: int | None


def retry_command(directory: Path, asked: Asked, *, dry_run: bool) -> None:
    """Solve failed samples again, with progress, and say how it went and what comes next."""
    console, campaign = standard_output(), Campaign.open(directory)
    timeout = None if asked.timeout is None else seconds_of(asked.timeout)
    by_hand = ByHand(read_changes(asked.changes), timeout)
    with shown(console):
        plan = plan_retry(campaign, asked.ids, asked.outcomes, by_hand)
    if dry_run:
        _print_plan(console, campaign, plan)
        return
    before = len(retries_of(campaign))
    with interruptible(console), shown(console):
        message = _run(campaign, asked, plan)
    console.print(message, markup=False, soft_wrap=True)
    for entry in retries_of(campaign)[before:]:
        _print_appended(console, campaign, directory, entry)


def _run(campaign: Campaign, asked: Asked, plan: Plan) -> str:
    if not plan.records:  # but a killed retry may have left something
        with campaign.exclusive():
            campaign.verify()
            append_retried(campaign)
        return conclude(campaign, plan)
    from flows.server import usable_server  # Prefect takes two seconds to load

    with usable_server():
        from flows.retry import retry_failed_samples

        return retry_failed_samples(
            campaign.directory,
            [record.pick.sample.id for record in plan.records],
            changes=plan.by_hand.changes,
            timeout=plan.by_hand.timeout_seconds,
            workers=asked.workers,
        )


def _print_plan(console: Console, campaign: Campaign, plan: Plan) -> None:
    table = Table("sample", "step", "outcome", "attempts", "reason")
    for record in plan.records:
        last = record.attempts[-1]
        row = (record.pick.sample.id, str(record.step), last.outcome.value)
        table.add_row(*row, str(len(record.attempts)), escape(last.reason))
    console.print(table)
    by_hand, changes = plan.by_hand, dict(plan.by_hand.changes)
    deadline = by_hand.timeout_seconds or campaign.config.label.timeout_seconds
    looser = loosened(campaign.config.solver, changes)
    console.print(
        f"would be solved again: {len(plan.records)} samples, "
        f"with {changes or 'the settings as declared'}, each attempt within {deadline:g} s"
        + (f", {looser}" if looser else ""),
        markup=False,
        soft_wrap=True,
    )


def _print_appended(console: Console, campaign: Campaign, directory: Path, entry: Entry) -> None:
    """Say where the solved samples are now, and when they are learnt from."""
    for shard, count in entry.summary["appended"].items():
        use = "trains on" if shard.startswith("pool/") else "is measured on"
        console.print(f"appended to {shard}: {count}, which step {entry.step} {use}")
    if entry.summary["appended"]:
        console.print(_way_on(campaign, directory, entry), markup=False, soft_wrap=True)


def _way_on(campaign: Campaign, directory: Path, entry: Entry) -> str:
    """Say how the campaign goes on to the step that sees the retried samples."""
    decision = decision_of(campaign, entry.step - 1) if entry.step else None
    if decision is None or not decision.stop:
        return f"go on: solverloop run {directory}"
    more = f"go on: solverloop run {directory} --set stopping.max_steps={entry.step}"
    if decision.decided_by == "max steps":
        return more
    return f"{more}, with another value for what stopped it ({decision.reason})"
