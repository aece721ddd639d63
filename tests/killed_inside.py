"""A program killed, with all that it started, just before a call of one of its functions."""

import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence

from campaign_examples import environment

Place = tuple[str, str, int]
"""Module, function, and which call of it."""

_CODE = """
import os, signal, sys
import {module} as module
{imports}

original, calls = module.{function}, 0

def killed(*args, **kwargs):
    global calls
    calls += 1
    if calls == {call}:
        os.killpg(0, signal.SIGKILL)
    return original(*args, **kwargs)

module.{function} = killed
{program}
"""


def run_killed(place: Place, arguments: Sequence[str], api: str) -> None:
    """Run `solverloop` with these arguments until it gets there."""
    program = f"sys.argv[1:] = {list(arguments)!r}\nmain()"
    run_code_killed(place, "from flows.cli import main", program, environment(api))


def run_code_killed(
    place: Place, imports: str, program: str, variables: Mapping[str, str]
) -> None:
    """Run lines of Python until they get there.

    Args:
        place: where.
        imports: what they import, before the function is watched.
        program: what they do.
        variables: their environment.
    """
    module, function, call = place
    code = _CODE.format(
        module=module, function=function, call=call, imports=imports, program=program
    )
    ended = subprocess.run(
        [sys.executable, "-c", code],
        env=dict(variables),
        start_new_session=True,
        capture_output=True,
        check=False,
    )
    assert ended.returncode == -signal.SIGKILL, "it was not killed on the way"
