"""`solverloop deploy`."""

from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from flows.console import standard_output
from phases.config import CampaignConfig, load


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the command line says.

    Attributes:
        home: where workers find the flows and keep campaigns; here unless given.
        pool_type: type of work pools that are made: `process` or `docker`.
        solves: most flow runs of the pool `solve` at once; as it is unless given, 2 for a new one.
        cron: when a campaign's next step is taken; never unless given.
        active: whether that schedule begins at once.
    """

    home: Path | None
    pool_type: str
    solves: int | None
    cron: str | None
    active: bool


def deploy_command(
    campaign: Path | None, directory: Path | None, changes: list[str], wanted: Wanted
) -> None:
    """Deploy, and say what comes next."""
    console = standard_output()
    config = None if campaign is None else load(campaign, changes)
    from flows.deploying import deploy  # Prefect takes two seconds to load

    for line in deploy(config, directory, wanted):
        console.print(line, markup=False, soft_wrap=True)
    _print_way_on(console, config)


def _print_way_on(console: Console, config: CampaignConfig | None) -> None:
    console.print("start a worker for each pool, at the repository root:")
    console.print("  prefect worker start --pool train")
    console.print("  prefect worker start --pool solve   (for campaigns with runner: deployment)")
    if config is not None:
        console.print(f"run it: prefect deployment run campaign/{config.name}, or from the UI")
