"""The step's report, as a task."""

from prefect import task

from phases.campaign import Campaign
from reports.build import build_report
from reports.step import learning_curve_png, step_markdown
from tasks.artifacts import publish_report


@task(name="report", task_run_name="report-step{step:03d}")
def report_step(campaign: Campaign, step: int) -> None:
    """Show how the campaign stands: in the UI, and in the campaign's directory."""
    publish_report(
        campaign, step, step_markdown(campaign, step), learning_curve_png(campaign, step)
    )
    build_report(campaign)
