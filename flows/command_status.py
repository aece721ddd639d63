"""`solverloop status`."""

import json
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from flows.console import standard_output
from phases.campaign import Campaign
from phases.label import solved
from phases.overview import StepOverview, design_records, failures, levels_of, steps_of
from phases.retry import retries_of
from pools.errors import IntegrityError
from pools.ledger import Entry

_SHOWN_FAILURES = 20


def status_command(directory: Path) -> None:
    """Print steps, pool, failures and the last metrics."""
    campaign, console = Campaign.open(directory), standard_output()
    initial, test = design_records(campaign)
    steps, config = steps_of(campaign), campaign.config
    console.print(f"campaign {config.name} in {campaign.directory}", soft_wrap=True, markup=False)
    console.print(
        f"initial design: {len(solved(initial))} of {sum(config.initial_counts.values())} solved; "
        f"test set: {len(solved(test))} of {config.test_samples} solved"
    )
    console.print(_steps_table(steps))
    for entry in retries_of(campaign):
        console.print(_retry_line(entry), markup=False, soft_wrap=True)
    _print_levels(console, campaign)
    _print_metrics(console, campaign, steps)
    _print_failures(console, campaign)


def _steps_table(steps: list[StepOverview]) -> Table:
    table = Table("step", "labelled", "error", "asked", "outcomes", "solver s", "phases s")
    for step in steps:
        table.add_row(
            str(step.step),
            "-" if step.labelled is None else str(step.labelled),
            "-" if step.error is None else f"{step.error:.4f}",
            step.asked_in_words,
            ", ".join(f"{n} {name}" for name, n in step.outcomes.items()) or "-",
            f"{step.solver_seconds:.1f}",
            ", ".join(f"{phase} {seconds:.1f}" for phase, seconds in step.phases.items()),
        )
    return table


def _retry_line(entry: Entry) -> str:
    """Say how a retry went: `retry-001: 3 of 5 solved in 12.0 s, used from step 4 on`."""
    told = entry.summary
    seconds = told["solver_seconds"] + told["test"]["solver_seconds"]
    use = f", used from step {entry.step} on" if told["appended"] else ""
    return f"{entry.phase}: {told['solved']} of {told['asked']} solved in {seconds:.1f} s{use}"


def _print_levels(console: Console, campaign: Campaign) -> None:
    """Print what was asked of each level of the solver; nothing without levels."""
    table = Table("level", "samples", "failed", "solver s each")
    for level in levels_of(campaign):
        table.add_row(level.name, str(level.asked), str(level.failed), f"{level.mean_seconds:.2g}")
    if table.rows:
        console.print(table)


def _print_metrics(console: Console, campaign: Campaign, steps: list[StepOverview]) -> None:
    measured = [step.step for step in steps if step.error is not None]
    if not measured:
        console.print("no metrics yet")
        return
    file = campaign.step_directory(measured[-1]) / "metrics.json"
    metrics = _read_metrics(file)
    table = Table("output", "error", "90 % coverage", title=f"metrics of step {measured[-1]}")
    for name, field in metrics["fields"].items():
        error = f"relative L2 {field['relative_l2']['mean']:.4f}"
        table.add_row(escape(name), error, f"{field['coverage90']:.2f}")
    for name, quantity in metrics["quantities"].items():
        unit = "" if quantity["unit"] == "1" else f" {quantity['unit']}"
        error = f"RMSE {quantity['rmse']:.4g}{unit}, R2 {_number(quantity['r2'])}"
        table.add_row(escape(name), escape(error), f"{quantity['coverage90']:.2f}")
    console.print(table)


def _read_metrics(file: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(file.read_text()))
    except (OSError, ValueError, TypeError) as error:
        raise IntegrityError(
            f"cannot read the metrics {file} ({error}); run `solverloop check` on the campaign's "
            "directory: it measures again"
        ) from error


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


def _print_failures(console: Console, campaign: Campaign) -> None:
    failed = failures(campaign)
    if not failed:
        console.print("no failed samples")
        return
    table = Table("failed sample", "outcome", "attempts", "reason")
    for record in failed[:_SHOWN_FAILURES]:
        last = record.attempts[-1]
        attempts = str(len(record.attempts))
        table.add_row(record.pick.sample.id, last.outcome.value, attempts, escape(last.reason))
    console.print(table)
    if len(failed) > _SHOWN_FAILURES:
        console.print(f"... and {len(failed) - _SHOWN_FAILURES} more")
    console.print(
        f"why: solverloop failures {campaign.directory}; again: solverloop retry "
        f"{campaign.directory}",
        markup=False,
        soft_wrap=True,
    )
