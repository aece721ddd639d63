"""What runs on this machine, for tests of what is left running."""

import time
from collections.abc import Callable, Iterable
from pathlib import Path

from solvers.lease import Lease
from solvers.processes import ATTEMPT, Processes


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


def wait_until(condition: Callable[[], bool], seconds: float = 60) -> None:
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


def processes_of(directory: Path) -> list[int]:
    """Return all processes of the attempts below `directory`, wherever they went.

    They work or log there, run a program of there, or bear the token of an attempt or are in its
    session.
    """
    there = {p for p in _processes() if _works_in(p, directory)}
    leases = [lease for f in directory.rglob("lease.json") if (lease := Lease.read(f.parent))]
    marked = [Processes(lease.token, lease.session, mark=ATTEMPT).find() for lease in leases]
    return sorted(there.union(processes_in(directory), programs_in(directory), *marked))


def running(program: str, directory: Path) -> list[int]:
    """Return the processes of a program that work below `directory`, in order."""
    working = (p for p in _processes() if _works_in(p, directory))
    return sorted(p for p in working if _name_of(p) == program[:15])


def descendants_of(process: int) -> list[int]:
    """Return all that a process and its children started and that still runs."""
    children = children_of(process)
    return [*children, *(d for child in children for d in descendants_of(child))]


def none_runs(processes: Iterable[int]) -> bool:
    """Whether none of them runs any more."""
    return not any(_status(process)[1] for process in processes)


def place_of(process: int) -> Path:
    """Return the directory that a process works in; `/` where it is no more."""
    try:
        return Path(f"/proc/{process}/cwd").readlink()
    except OSError:
        return Path("/")


def _works_in(process: int, directory: Path) -> bool:
    return place_of(process).is_relative_to(directory)


def _name_of(process: int) -> str:
    try:
        return Path(f"/proc/{process}/comm").read_text().strip()
    except OSError:
        return ""
