"""Which processes belong to an attempt: those that bear its token, however young they are."""

import os
import subprocess
from uuid import uuid4

from solvers.processes import ATTEMPT, Processes


def started(environment: dict[str, str]) -> subprocess.Popen[bytes]:
    """Start a process that stays, in a session of its own."""
    return subprocess.Popen(["sleep", "1000"], env=environment, start_new_session=True)


def test_a_process_that_just_begins_its_program_is_found() -> None:
    """On a busy machine the kernel shows no environment of some of them at once."""
    token = uuid4().hex
    attempt = Processes(token, mark=ATTEMPT)
    busy = [subprocess.Popen(["sh", "-c", "while :; do :; done"]) for _ in range(4)]
    missed = 0
    try:
        for _ in range(300):
            with started({**os.environ, ATTEMPT: token}) as process:
                missed += attempt.find() != [process.pid]
                process.kill()
    finally:
        for each in busy:
            each.kill()
            each.wait()
    assert missed == 0


def test_a_process_without_an_environment_belongs_to_nobody() -> None:
    with started({}) as process:
        assert process.pid not in Processes(uuid4().hex, mark=ATTEMPT).find()
        process.kill()
