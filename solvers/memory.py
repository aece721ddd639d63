"""Memory of a solve: its limit, and whether it was the want of it that ended the solve.

The limit is RLIMIT_DATA: what a process has for itself, as heap or private writable maps.
RLIMIT_AS would also count address space that is only reserved (thread stacks, arenas, shared
libraries, files), which is many times what a process uses, and refuse solvers that need little.
"""

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

GIB = 1 << 30
_CGROUPS = Path("/sys/fs/cgroup")
_VMSTAT = Path("/proc/vmstat")
_SAID = (
    "std::bad_alloc",
    "MemoryError",
    "Cannot allocate memory",
    "cannot satisfy memory request",
)


@contextmanager
def limited(gib: float | None) -> Iterator[None]:
    """Limit the memory of this process and of what it starts, each for itself."""
    before = resource.getrlimit(resource.RLIMIT_DATA)
    if gib is not None:
        resource.setrlimit(resource.RLIMIT_DATA, (_capped(int(gib * GIB), before[1]), before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, before)


def peak() -> int:
    """Return the largest resident size so far, in bytes, of this process or a child that ended."""
    who = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return max(resource.getrusage(one).ru_maxrss for one in who) * 1024


def ran_out(log: str) -> bool:
    """Whether a log says that memory was asked for in vain."""
    return any(word in log for word in _SAID)


def explain(what: str, peak_bytes: int, gib: float | None) -> str:
    """Say that memory ran out, and the way out.

    Args:
        what: what showed it.
        peak_bytes: largest resident size of a process of the solver.
        gib: the limit that it had.
    """
    limit = (
        f"each process may take {gib:g} GiB (label.memory_gib): raise that"
        if gib is not None
        else "no label.memory_gib is set: give the machine more memory"
    )
    return (
        f"out of memory: {what}; the largest process reached {peak_bytes / GIB:.2f} GiB and "
        f"{limit}, solve fewer samples at once (label.workers), or take a coarser mesh"
    )


def kills() -> int | None:
    """Count the processes that the kernel killed for want of memory, wherever it says so.

    That is this control group (version 1 or 2) and the whole machine: a solver may run in a group
    of its own, below this one, which only the machine's count includes. One kill may count twice;
    whether the count grew is what matters. None where no place can be read.
    """
    counts = [count for file in _counters() if (count := _count(file)) is not None]
    return sum(counts) if counts else None


def _count(file: Path) -> int | None:
    try:
        lines = file.read_text().splitlines()
    except OSError:
        return None
    found = [int(line.split()[1]) for line in lines if line.startswith("oom_kill ")]
    return found[0] if found else None


def _counters() -> Iterator[Path]:
    """Yield the files that may hold a count."""
    yield _VMSTAT
    for group in _groups():
        number, controllers, path = group.split(":", 2)
        inside = path.lstrip("/")  # in a container it may be the host's, and not be there
        if number == "0":
            yield _CGROUPS / inside / "memory.events"
        elif "memory" in controllers.split(","):
            yield _CGROUPS / "memory" / inside / "memory.oom_control"


def _groups() -> list[str]:
    try:
        return Path("/proc/self/cgroup").read_text().splitlines()
    except OSError:
        return []


def _capped(limit: int, hard: int) -> int:
    return limit if hard == resource.RLIM_INFINITY else min(limit, hard)
