"""The reports, as tasks."""

from pathlib import Path

from prefect import task

from phases.campaign import Campaign
from reports.build import build_report
from reports.step import learning_curve_png, step_markdown
from reports.step_picture import worst_fields
from tasks.artifacts import publish_report


@task(name="report", task_run_name="report-step{step:03d}")
def report_step(campaign: Campaign, step: int) -> None:
    """Show in the UI how the step went."""
    curve = {"Learning curve": learning_curve_png(campaign, step)}
    pictures = {**curve, **worst_fields(campaign, step)}
    publish_report(campaign, step, step_markdown(campaign, step), pictures)


@task(name="report-campaign")
def report_campaign(campaign: Campaign) -> Path:
    """Draw the report in the campaign's directory, and return its page."""
    return build_report(campaign)
