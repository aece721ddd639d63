"""`solverloop run`."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from flows.console import shown
from flows.interrupt import interruptible
from flows.plain_console import PlainConsole
from phases.config import CampaignConfig, load
from pools.errors import UsageError

if TYPE_CHECKING:
    from phases.campaign import Campaign


@dataclass(frozen=True, slots=True)
class How:
    """How the campaign is run.

    Attributes:
        retry_failed: solve again the samples that failed in a step that is not finished.
        without_server: run it in this process alone, without Prefect.
    """

    retry_failed: bool
    without_server: bool


def run_command(campaign: Path, directory: Path | None, changes: Sequence[str], how: How) -> None:
    """Start or resume a campaign, with progress, and say why it stopped."""
    console = PlainConsole()
    config, directory = _find(campaign, directory, changes)
    with interruptible(console), shown(console):
        reason = _run(config, directory, how)
    console.print(f"stopped: {reason}", highlight=False, soft_wrap=True, markup=False)
    page = directory / "report" / "index.html"
    console.print(f"look at {page}", highlight=False, soft_wrap=True, markup=False)
    if failed := _failed(directory):
        text = f"{failed} without a solution; why: solverloop failures {directory}"
        console.print(text, highlight=False, soft_wrap=True, markup=False)


def _run(config: CampaignConfig, directory: Path, how: How) -> str:
    from phases.campaign import Campaign  # torch takes a second to load

    campaign = Campaign.start(config, directory)
    if how.without_server:
        return _run_plainly(campaign, retry_failed=how.retry_failed)
    from flows.server import usable_server  # and Prefect two, once nothing can be refused

    with usable_server():
        from flows.campaign import run_campaign

        return run_campaign(config, directory, retry_failed=how.retry_failed)


def _run_plainly(campaign: "Campaign", *, retry_failed: bool) -> str:
    from phases.campaign_driver import CampaignDriver
    from phases.campaign_phases import PlainWork
    from reports.build import build_report

    reason = CampaignDriver(campaign, PlainWork(retry_failed)).run()
    build_report(campaign)
    return reason


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
