"""A step a run: what a schedule starts, night after night, in one campaign's directory."""

from functools import partial
from pathlib import Path
from typing import Annotated

from prefect import flow
from prefect.runtime import flow_run
from pydantic import Field

from flows.alone import WhenBusy, alone
from flows.attended import attended
from flows.campaign import FlowWork
from flows.names import campaign_run_name
from flows.tags import tag_run
from flows.told import run_told
from phases.campaign import Campaign
from phases.campaign_driver import CampaignDriver
from phases.config import CampaignConfig


@flow(name="next-step", flow_run_name=campaign_run_name)
def next_step(
    config: CampaignConfig,
    directory: Path | None = None,
    steps: Annotated[int, Field(ge=1)] = 1,
    when_busy: WhenBusy = "cancel",
) -> str:
    """Take the next step of a campaign, or finish the one that was begun; the first begins it.

    Two runs never write in one campaign: a run that finds another one at work ends as *Cancelled*,
    or waits for its end.

    Args:
        config: the campaign.
        directory: where it lives; `campaigns/<name>` unless given.
        steps: how many steps this run takes.
        when_busy: what is done while another run is at work: `cancel` this one, or `wait`.

    Returns:
        Why the campaign is at its end, in words; empty when it goes on.
    """
    place = directory or Path("campaigns") / config.name
    return alone(lambda: _take(config, place, steps), when_busy)


def _take(config: CampaignConfig, place: Path, steps: int) -> str:
    campaign = Campaign.start(config, place)
    tag_run(config.name)
    return attended(
        campaign,
        lambda again: run_told(campaign, partial(_steps, campaign, steps, FlowWork(again))),
        retry_failed=flow_run.run_count > 1,
    )


def _steps(campaign: Campaign, steps: int, work: FlowWork) -> str:
    driver = CampaignDriver(campaign, work)
    for _ in range(steps):
        driver.active_learning_step()
        if driver.stopped:
            break
    work.conclude(campaign)
    return driver.stopped
