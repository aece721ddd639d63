"""`solverloop doctor`."""

from collections.abc import Sequence
from pathlib import Path

from flows.console import standard_output
from phases.config import load
from phases.doctor import examine
from pools.errors import CampaignError


def doctor_command(campaign: Path, changes: Sequence[str]) -> None:
    """Print what was looked at and what was found; fails when something is not well."""
    console, ill = standard_output(), 0
    file = campaign / "campaign.yaml" if campaign.is_dir() else campaign
    for found in examine(load(file, changes)):
        ill += not found.is_well
        mark = "[green]well[/green]" if found.is_well else "[red]ill [/red]"
        console.print(f"{mark}  {found.what}: ", end="")
        console.print(found.words, markup=False, soft_wrap=True)
    if ill:
        raise CampaignError(f"{campaign} cannot be run well here: {ill} of the above want mending")
    console.print(f"all is well: solverloop run {campaign}", markup=False, soft_wrap=True)
