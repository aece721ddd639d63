"""`solverloop check`."""

from collections import Counter
from pathlib import Path

from rich.progress import track

from flows.console import standard_output
from phases.campaign import Campaign
from phases.check import check
from pools.errors import IntegrityError


def check_command(directory: Path) -> None:
    """Verify digests, rebuild files, say what was found; fails when something stays damaged."""
    campaign, console = Campaign.open(directory), standard_output()
    total = sum(len(entry.artifacts) for entry in campaign.ledger.entries())
    with campaign.exclusive():
        findings = list(
            track(
                check(campaign),
                "verifying",
                total,
                console=console,
                transient=True,
                disable=not console.is_terminal,
            )
        )
    for finding in findings:
        if finding.state != "intact":
            text = f"{finding.state}: {finding.file} - {finding.remark}"
            console.print(text, markup=False, soft_wrap=True)
    counts = Counter(finding.state for finding in findings)
    console.print(", ".join(f"{n} {state}" for state, n in counts.items()) or "nothing recorded")
    if counts["damaged"]:
        raise IntegrityError(
            f"{counts['damaged']} of the files of {directory} are damaged; each is named above, "
            "with what to do about it"
        )
