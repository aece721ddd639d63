"""`solverloop check`."""

from collections import Counter
from pathlib import Path

from rich.console import Console
from rich.progress import track

from phases.campaign import Campaign
from phases.check import check
from pools.errors import IntegrityError


def check_command(directory: Path) -> None:
    """Verify digests, rebuild the pool, say what was found; fails when something stays damaged."""
    campaign, console = Campaign.open(directory), Console(highlight=False, soft_wrap=True)
    total = sum(len(entry.artifacts) for entry in campaign.ledger.entries())
    with campaign.exclusive():
        looked = track(check(campaign), "verifying", total, console=console, transient=True)
        findings = list(looked)
    for finding in findings:
        if finding.state != "intact":
            console.print(f"{finding.state}: {finding.file} - {finding.remark}", markup=False)
    counts = Counter(finding.state for finding in findings)
    console.print(", ".join(f"{n} {state}" for state, n in counts.items()) or "nothing recorded")
    if counts["damaged"]:
        raise IntegrityError(f"{counts['damaged']} files of {directory} are damaged, see above")
