"""The lines of a log that tell why a run failed."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

_LAST_BYTES = 1 << 18  # a log may have hundreds of megabytes, and its end says why
_MOST = 12  # lines that are shown of a block or a tail
_FATAL = "FOAM FATAL"
_FATAL_ENDS = ("FOAM exiting", "FOAM aborting", "FOAM parallel run")
_PLACES = ("From ", "in file ")  # in OpenFOAM's own code, with signatures of many hundred letters
_NUMBERS = re.compile(r"(?<![\w.])[-+]?(nan|inf)(?![\w.])", re.IGNORECASE)
_SIGNALS = ("sigFpe", "sigSegv", "Floating point exception", "Segmentation fault")
_TRACEBACK = "Traceback (most recent call last)"


def telling_lines(log: str) -> list[str]:
    """Return the lines of a log that tell most, or its last ones.

    They are: OpenFOAM's fatal errors as blocks, without the places in its code, the first number
    that is none, what tells of a signal, and the last line of a Python traceback.
    """
    lines = [line.rstrip() for line in log.splitlines() if line.strip()]
    told = [*_fatal(lines), *_first_not_finite(lines), *_signals(lines), *_raised(lines)]
    return list(dict.fromkeys(told)) or lines[-_MOST:]


def read_logs(attempt: Path) -> str:
    """Return the ends of the logs in an attempt's directory, the last written one last."""
    logs = [file for file in attempt.glob("*log*") if file.is_file()]
    return "\n".join(_end(file) for file in sorted(logs, key=lambda f: (f.stat().st_mtime, f)))


def _end(file: Path) -> str:
    with file.open("rb") as stream:
        stream.seek(max(file.stat().st_size - _LAST_BYTES, 0))
        return stream.read().decode(errors="replace")


def _fatal(lines: Sequence[str]) -> Iterator[str]:
    """Yield the lines of OpenFOAM's fatal errors, each without what surrounds it."""
    left = 0
    for line in lines:
        if _FATAL in line:
            left = _MOST
        elif line.startswith(_FATAL_ENDS):
            left = 0
        if left and not line.strip().startswith(_PLACES):
            left -= 1
            yield line.strip("-> ")


def _first_not_finite(lines: Sequence[str]) -> list[str]:
    return [line.strip() for line in lines if _NUMBERS.search(line)][:1]


def _signals(lines: Sequence[str]) -> list[str]:
    """Return what tells of a signal, but not that OpenFOAM watches for it."""
    return [
        line.strip()
        for line in lines
        if any(name in line for name in _SIGNALS) and "trapping" not in line
    ][:1]


def _raised(lines: Sequence[str]) -> list[str]:
    """Return the last line of the last traceback: the first behind it that is not indented."""
    starts = [index for index, line in enumerate(lines) if line.startswith(_TRACEBACK)]
    behind = lines[starts[-1] + 1 :] if starts else []
    return next(([line] for line in behind if not line.startswith(" ")), [])
