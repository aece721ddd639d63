"""Finds an executable, runs it to its end, and says what the way it ended means."""

import errno
import os
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from pools.errors import UsageError
from pools.outcome import Outcome
from solvers import memory
from solvers.processes import dies_with_parent
from solvers.signals import ended_below

LOG = "solver.log"
"""What the command prints, in the attempt's directory."""

_MEANINGS: Mapping[int, Outcome] = {
    signal.SIGFPE: Outcome.DIVERGED,
    signal.SIGXCPU: Outcome.TIMEOUT,
    **dict.fromkeys(
        (signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGXFSZ),
        Outcome.INFRASTRUCTURE,  # somebody else ended it, and not because of the sample
    ),
}
_OTHER = Outcome.BAD_OUTPUT  # what a crash and any other exit code mean
_DISK_FULL = (os.strerror(errno.ENOSPC), os.strerror(errno.EDQUOT))
_TAIL_BYTES = 1 << 16
_TAIL_LINES = 20
_LAST_WORDS = 200  # characters of the log's last line that a reason quotes


def executable_path(name: str, environment: Mapping[str, str]) -> str:
    """Return the path of an executable, looked up on PATH, then in the working directory.

    Raises:
        UsageError: there is none.
    """
    beside = Path.cwd() / name
    found = shutil.which(name, path=environment.get("PATH")) or shutil.which(str(beside))
    if found is None:
        fault = "may not be executed (chmod +x)" if beside.exists() else "does not exist"
        raise UsageError(
            f"solver.command: cannot find the executable {name!r}: it is not on PATH, and "
            f"{beside} {fault}; install it, or give its path"
        )
    return str(Path.cwd() / found)


def whole_path(argument: str) -> str:
    """Return an argument, as a whole path where it names a file relative to where we are.

    The command runs elsewhere: in the attempt's directory.
    """
    names_a_file = "/" in argument and Path(argument).exists()
    return str(Path.cwd() / argument) if names_a_file else argument


def run(arguments: Sequence[str], directory: Path, environment: Mapping[str, str]) -> int:
    """Run a command in `directory`, what it prints into `LOG` there, and return its exit code.

    A negative one is the signal that ended it.

    Raises:
        OSError: it cannot be started.
    """
    with (directory / LOG).open("wb") as log:
        return subprocess.run(
            arguments,
            cwd=directory,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env={**os.environ, "PWD": str(directory), **environment},
            preexec_fn=dies_with_parent(),
            check=False,
        ).returncode


def meaning(exit_code: int, declared: Mapping[int, Outcome], tail: str) -> tuple[Outcome, str]:
    """Say how a command ended.

    Args:
        exit_code: as `run` returned it.
        declared: what exit codes mean by the user's word.
        tail: the last lines of its log.
    """
    how = _how(exit_code, tail)
    if exit_code in {0, *declared}:
        return declared.get(exit_code, Outcome.OK), how
    if memory.ran_out(tail) or any(words in tail for words in _DISK_FULL):
        return Outcome.INFRASTRUCTURE, how  # the machine's want, not the sample's
    name = ended_below(exit_code)
    return _MEANINGS.get(signal.Signals[name], _OTHER) if name else _OTHER, how


def _how(exit_code: int, tail: str) -> str:
    """Say how a command ended, with its last words."""
    name = ended_below(exit_code)
    how = f"was ended by {name}" if name else f"ended with code {exit_code}"
    code = f" (code {exit_code})" if name and exit_code > 0 else ""
    last = ["", *(line.strip() for line in tail.splitlines() if line.strip())][-1]
    return f"the command {how}{code}" + (f": {last[:_LAST_WORDS]}" if last else "")


def tail_of(directory: Path) -> str:
    """Return the last lines of the log, without reading all of it."""
    if not (directory / LOG).is_file():  # a command that tidies up may have removed it
        return ""
    with (directory / LOG).open("rb") as log:
        size = log.seek(0, os.SEEK_END)
        log.seek(max(size - _TAIL_BYTES, 0))
        lines = log.read().decode(errors="replace").splitlines()
    return "\n".join(lines[-_TAIL_LINES:])
