"""Run names that say what a person looks for: `channel`, `channel-step003`."""

from pathlib import Path

from prefect.runtime import flow_run

from phases.campaign import Campaign
from pools.errors import SolverloopError


def campaign_run_name() -> str:
    """Name a campaign's run."""
    return str(flow_run.parameters["config"].name)


def design_run_name() -> str:
    """Name the run that labels the initial design."""
    return f"{_campaign()}-initial-design"


def step_run_name() -> str:
    """Name the run of a step."""
    return f"{_campaign()}-step{flow_run.parameters['step']:03d}"


def retry_run_name() -> str:
    """Name the run that solves failed samples again."""
    return f"{_campaign()}-retry"


def report_run_name() -> str:
    """Name the run that draws a report."""
    return f"{_campaign()}-report"


def driver_run_name() -> str:
    """Name the run of a driver that was assembled in Python."""
    return str(flow_run.parameters["driver"].run_id)


def _campaign() -> str:
    """Return the campaign's name; its directory's where it cannot be opened: the run says why."""
    directory = Path(flow_run.parameters["directory"])
    try:
        return Campaign.open(directory).config.name
    except SolverloopError:
        return directory.name
