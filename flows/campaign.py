"""The loop: prepare, then step after step until a stopping rule decides."""

from dataclasses import dataclass
from pathlib import Path

from prefect import flow
from prefect.runtime import flow_run

from flows.alone import WhenBusy, alone
from flows.attended import attended
from flows.names import campaign_run_name, design_run_name, step_run_name
from flows.tags import tag_run
from flows.told import run_told, step_told
from phases.campaign import Campaign
from phases.campaign_driver import CampaignDriver
from phases.config import CampaignConfig
from phases.label import design_to_solve, step_to_solve
from phases.loop import take_step
from phases.overview import design_in_words
from phases.stopping import stopping_decision
from tasks.append import append, append_design
from tasks.completed import completed
from tasks.design import design
from tasks.label import label, label_design, solve_all
from tasks.metrology import metrology
from tasks.query import query
from tasks.report import report_campaign, report_step
from tasks.train import train


@flow(name="campaign", flow_run_name=campaign_run_name)
def run_campaign(
    config: CampaignConfig,
    directory: Path | None = None,
    *,
    retry_failed: bool = False,
    when_busy: WhenBusy = "cancel",
) -> str:
    """Run a campaign from wherever it stands until a stopping rule decides.

    Args:
        config: the campaign.
        directory: where it lives; `campaigns/<name>` unless given.
        retry_failed: solve again the samples that failed in a step that is not finished.
        when_busy: what is done while another run is at work: `cancel` this one, or `wait`.

    Returns:
        Why it stopped, in words.
    """
    place = directory or Path("campaigns") / config.name
    return alone(lambda: _run(config, place, retry_failed=retry_failed), when_busy)


def _run(config: CampaignConfig, place: Path, *, retry_failed: bool) -> str:
    campaign = Campaign.start(config, place)
    tag_run(config.name)
    return attended(
        campaign,
        lambda again: run_told(
            campaign, CampaignDriver(campaign, FlowWork(retry_failed=again)).run
        ),
        retry_failed=retry_failed or flow_run.run_count > 1,  # Retry in the UI means them too
    )


@dataclass(frozen=True, slots=True)
class FlowWork:
    """How a campaign's work is done by Prefect: each step a flow, each phase a task.

    Attributes:
        retry_failed: solve again the samples that failed in a step that is not finished.
    """

    retry_failed: bool

    def prepare(self, campaign: Campaign) -> None:
        """Label the initial design and the test set, and begin the training pool."""
        prepare_campaign(campaign.directory, retry_failed=self.retry_failed)

    def step(self, campaign: Campaign, step: int) -> str:
        """Take a step; return why the campaign stops here, or nothing when it goes on."""
        return active_learning_step(campaign.directory, step, retry_failed=self.retry_failed)

    def conclude(self, campaign: Campaign) -> None:
        """Draw the report."""
        report_campaign(campaign)


@flow(name="initial-design", flow_run_name=design_run_name)
def prepare_campaign(directory: Path, *, retry_failed: bool = False) -> None:
    """Draw the initial design and the test set, label them, and begin the training pool."""
    campaign = Campaign.open(directory)
    tag_run(campaign.config.name, "initial-design")
    design(campaign)
    picks = design_to_solve(campaign)
    seconds = solve_all(campaign, 0, picks, where="design", retry_failed=retry_failed)
    label_design(campaign, seconds)
    append_design(campaign)
    return completed(design_in_words(campaign), None)


@flow(name="active-learning-step", flow_run_name=step_run_name)
def active_learning_step(directory: Path, step: int, *, retry_failed: bool = False) -> str:
    """Train, measure, and unless that is enough: query, label, append.

    Args:
        directory: the campaign's directory.
        step: which step.
        retry_failed: solve again the samples that failed.

    Returns:
        Why the campaign stops here, in words; empty when it goes on.
    """
    campaign = Campaign.open(directory)
    tag_run(campaign.config.name, f"step{step:03d}")
    again = retry_failed or flow_run.run_count > 1
    return step_told(campaign, step, take_step(CampaignStep(campaign, step, retry_failed=again)))


@dataclass(frozen=True, slots=True)
class CampaignStep:
    """The phases of a campaign's step, as tasks.

    Attributes:
        campaign: the campaign.
        step: which step.
        retry_failed: solve again the samples that failed.
    """

    campaign: Campaign
    step: int
    retry_failed: bool

    def train(self) -> None:
        """Train the surrogate."""
        train(self.campaign, self.step)

    def metrology(self) -> None:
        """Measure it."""
        metrology(self.campaign, self.step)

    def decide(self) -> str:
        """Ask the stopping rules, and report the step."""
        decision = stopping_decision(self.campaign, self.step)
        report_step(self.campaign, self.step)
        return decision.reason if decision.stop else ""

    def query(self) -> None:
        """Choose what is solved next."""
        query(self.campaign, self.step)

    def label(self) -> None:
        """Solve it, and append the solutions to the pool."""
        picks = step_to_solve(self.campaign, self.step)
        seconds = solve_all(self.campaign, self.step, picks, retry_failed=self.retry_failed)
        label(self.campaign, self.step, seconds)
        append(self.campaign, self.step)
