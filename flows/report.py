"""The report of a campaign, drawn where the worker is."""

from pathlib import Path

from prefect import flow

from flows.names import report_run_name
from phases.elsewhere import opened_on_worker
from tasks.completed import completed
from tasks.report import report_campaign


@flow(name="report", flow_run_name=report_run_name)
def draw_report(directory: Path) -> Path:
    """Draw the report of a campaign as it stands: figures and one page, in DIR/report.

    Args:
        directory: the campaign's directory.

    Returns:
        The page.
    """
    page = report_campaign(opened_on_worker(directory))
    return completed(f"drawn: {page}", page)
