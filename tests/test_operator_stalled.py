"""A sample's flow run that its worker took, and whose process then never begins."""

import os
import signal

import pytest
from campaign_examples import solved_attempts
from operating import Operator, until
from process_table import descendants_of

pytestmark = [pytest.mark.slow, pytest.mark.services]


def test_a_sample_whose_process_never_begins_is_solved_by_another(operator: Operator) -> None:
    """Its run stays Pending, and holds a slot of its work pool, until it is scheduled again."""
    directory = operator.place / "stalled"
    operator.deploy("stalled", stopping={"max_steps": 1}, runner={"kind": "deployment"})
    run = operator.start("campaign/stalled")
    until(lambda: bool(descendants_of(operator.solve.process)))
    stalled = descendants_of(operator.solve.process)[0]
    os.kill(stalled, signal.SIGSTOP)
    try:
        operator.wait(run, "Completed")
        assert operator.messages_with("its worker has lost it") == 1
    finally:
        os.kill(stalled, signal.SIGCONT)
    until(lambda: stalled not in descendants_of(operator.solve.process))
    assert set(solved_attempts(directory).values()) == {1}
