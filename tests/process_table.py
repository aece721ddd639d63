"""What runs on this machine, for tests of what is left running."""

import time
from collections.abc import Callable
from pathlib import Path


def processes_in(directory: Path) -> list[int]:
    """Return the processes whose output goes to a file below `directory`."""
    return [p for p in _processes() if output_of(p).startswith(str(directory))]


def output_of(process: int) -> str:
    """Return where a process's output goes; empty where it is no more."""
    try:
        return str(Path(f"/proc/{process}/fd/1").readlink())
    except OSError:
        return ""


def children_of(process: int) -> list[int]:
    """Return the processes that this one started and that still run."""
    return [child for child in _processes() if _status(child) == (process, True)]


def parent_of(process: int) -> int:
    """Return the process that started this one."""
    return _status(process)[0]


def _status(process: int) -> tuple[int, bool]:
    """Return a process's parent, and whether it runs; no parent where it is no more."""
    try:
        state, parent, *_ = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0, False
    return int(parent), state not in {"Z", "X"}


def _processes() -> list[int]:
    return [int(p.name) for p in Path("/proc").iterdir() if p.name.isdigit()]


def wait_until(condition: Callable[[], bool], seconds: float = 20) -> None:
    """Wait until it is so, or fail."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def programs_in(directory: Path) -> list[int]:
    """Return the processes that run a program or a script of Python's below `directory`."""
    below = f"{directory}/"
    return [p for p in _processes() if any(n.startswith(below) for n in _programs(p))]


def _programs(process: int) -> list[str]:
    """Return a process's executable and its first argument."""
    try:
        place = Path(f"/proc/{process}")
        arguments = (place / "cmdline").read_text().split("\0")
        return [str((place / "exe").readlink()), *arguments[1:2]]
    except OSError:
        return []
