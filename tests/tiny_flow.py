"""A flow that takes no time, for tests of what runs flows."""

from prefect import flow


@flow(name="tiny")
def double(number: int) -> int:
    return 2 * number
