"""`solverloop deploy`."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from flows.console import standard_output
from flows.duration import seconds_of
from phases.config import CampaignConfig, load
from pools.errors import UsageError


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the command line says.

    Attributes:
        home: where workers find the flows and keep campaigns; here unless given.
        pool_type: type of work pools that are made: `process` or `docker`.
        solves: most flow runs of the pool `solve` at once; as it is unless given, 2 for a new one.
        schedule: when a campaign's next step is taken, as prefect.yaml says it; never if empty.
        notify: the block that tells a person of many failures; nobody is told if empty.
    """

    home: Path | None
    pool_type: str
    solves: int | None
    schedule: Mapping[str, object]
    notify: str


def schedule_of(cron: str | None, every: str | None, *, active: bool) -> dict[str, object]:
    """Return a schedule as prefect.yaml says it; empty where none is wanted.

    Raises:
        UsageError: both or, of an active one, neither are given; or `every` is no duration.
    """
    if cron is not None and every is not None:
        raise UsageError(f"got --cron {cron!r} and --every {every!r}; give one of them")
    if active and cron is None and every is None:
        raise UsageError("--active begins a schedule; give --cron or --every with it")
    if cron is not None:
        return {"cron": cron, "active": active}
    return {} if every is None else {"interval": seconds_of(every), "active": active}


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
