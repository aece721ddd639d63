"""What runs on this machine, for tests of what is left running."""

import time
from collections.abc import Callable
from pathlib import Path


def processes_in(directory: Path) -> list[int]:
    """Return the processes whose output goes to a file below `directory`."""
    found = []
    for process in Path("/proc").iterdir():
        if not process.name.isdigit():
            continue
        try:
            output = (process / "fd" / "1").readlink()
        except OSError:
            continue
        if str(output).startswith(str(directory)):
            found.append(int(process.name))
    return found


def parent_of(process: int) -> int:
    """Return the process that started this one."""
    return int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])


def wait_until(condition: Callable[[], bool], seconds: float = 20) -> None:
    """Wait until it is so, or fail."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)
