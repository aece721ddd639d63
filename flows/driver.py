"""A driver assembled in Python, as a flow: its phases are tasks in the Prefect UI."""

from typing import Any

from prefect import flow

from flows.names import driver_run_name
from phases.driver import Driver
from tasks.driver import as_task


@flow(name="driver", flow_run_name=driver_run_name, validate_parameters=False)
def run_driver(driver: Driver, arguments: dict[str, Any] | None = None) -> str:
    """Run a driver with its phases as tasks.

    Args:
        driver: the driver.
        arguments: what `Driver.run` is given, such as `train_step_fn`.

    Returns:
        Why it ended, in words.
    """
    driver.run_phase = as_task
    return driver.run(**(arguments or {}))
