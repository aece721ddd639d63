"""`solverloop run`."""

from collections.abc import Sequence
from pathlib import Path

from flows.console import shown
from flows.interrupt import interruptible
from flows.plain_console import PlainConsole
from phases.config import CampaignConfig, load
from pools.errors import UsageError


def run_command(
    campaign: Path, directory: Path | None, changes: Sequence[str], *, retry_failed: bool
) -> None:
    """Start or resume a campaign, with progress, and say why it stopped."""
    console = PlainConsole()
    config, directory = _find(campaign, directory, changes)
    with interruptible(console), shown(console):
        reason = _run(config, directory, retry_failed=retry_failed)
    console.print(f"stopped: {reason}", highlight=False, soft_wrap=True, markup=False)
    page = directory / "report" / "index.html"
    console.print(f"look at {page}", highlight=False, soft_wrap=True, markup=False)
    if failed := _failed(directory):
        text = f"{failed} without a solution; why: solverloop failures {directory}"
        console.print(text, highlight=False, soft_wrap=True, markup=False)


def _run(config: CampaignConfig, directory: Path, *, retry_failed: bool) -> str:
    from phases.campaign import Campaign  # torch takes a second to load

    Campaign.start(config, directory)
    from flows.server import check_server  # and Prefect two, once nothing can be refused

    check_server()
    from flows.campaign import run_campaign
    from flows.temporary_server import TemporaryServer

    TemporaryServer()
    return run_campaign(config, directory, retry_failed=retry_failed)


def _failed(directory: Path) -> str:
    """Count the failed samples: `3 samples`; empty where there is none."""
    from phases.campaign import Campaign  # loaded by now, but not where a campaign is refused
    from phases.overview import failures

    count = len(failures(Campaign.open(directory)))
    return f"{count} sample{'s' if count > 1 else ''}" if count else ""


def _find(
    campaign: Path, directory: Path | None, changes: Sequence[str]
) -> tuple[CampaignConfig, Path]:
    """Return the configuration and the directory that the arguments mean."""
    if campaign.is_dir():
        if directory is not None:
            raise UsageError(
                f"{campaign} is a campaign's directory already; leave --directory out"
            )
        return load(campaign / "campaign.yaml", changes), campaign
    config = load(campaign, changes)
    return config, directory or Path("campaigns") / config.name
