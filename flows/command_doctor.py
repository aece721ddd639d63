"""`solverloop doctor`."""

from collections.abc import Sequence
from pathlib import Path

from flows.console import standard_output
from phases.config import load
from phases.doctor import Diagnosis, examine
from pools.errors import CampaignError


def doctor_command(campaign: Path, changes: Sequence[str]) -> None:
    """Print what was looked at and what was found; fails when something is not well."""
    console, ill = standard_output(), 0
    file = campaign / "campaign.yaml" if campaign.is_dir() else campaign
    for found in examine(load(file, changes)):
        ill += not found.is_well
        console.print(f"{_mark(found)}  {found.what}: ", end="")
        console.print(found.words, markup=False, soft_wrap=True)
    if ill:
        raise CampaignError(f"{campaign} cannot be run well here: {ill} of the above want mending")
    console.print(f"all is well: solverloop run {campaign}", markup=False, soft_wrap=True)


def _mark(found: Diagnosis) -> str:
    if not found.is_well:
        return "[red]ill [/red]"
    return "[yellow]look[/yellow]" if found.is_remark else "[green]well[/green]"
