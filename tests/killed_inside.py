"""The command killed, with all that it started, just before a call of one of its functions."""

import signal
import subprocess
import sys
from collections.abc import Sequence

from campaign_examples import environment

Place = tuple[str, str, int]
"""Module, function, and which call of it."""

_CODE = """
import os, signal, sys
import {module} as module
from flows.cli import main

original, calls = module.{function}, 0

def killed(*args, **kwargs):
    global calls
    calls += 1
    if calls == {call}:
        os.killpg(0, signal.SIGKILL)
    return original(*args, **kwargs)

module.{function} = killed
sys.argv[1:] = {arguments!r}
main()
"""


def run_killed(place: Place, arguments: Sequence[str], api: str) -> None:
    """Run `solverloop` with these arguments until it gets there."""
    module, function, call = place
    code = _CODE.format(module=module, function=function, call=call, arguments=list(arguments))
    ended = subprocess.run(
        [sys.executable, "-c", code],
        env=environment(api),
        start_new_session=True,
        capture_output=True,
        check=False,
    )
    assert ended.returncode == -signal.SIGKILL, "it was not killed on the way"
