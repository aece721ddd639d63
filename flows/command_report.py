"""`solverloop report`."""

from pathlib import Path

from flows.console import shown
from flows.plain_console import PlainConsole
from phases.campaign import Campaign
from reports.build import build_report


def report_command(directory: Path) -> None:
    """Draw the report, with progress, and print where its page is."""
    campaign, console = Campaign.open(directory), PlainConsole()
    with shown(console):
        page = build_report(campaign)
    console.print(f"report: {page}", soft_wrap=True, highlight=False, markup=False)
