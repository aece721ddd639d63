"""What a program's log says, read as it grows."""

import math
import re
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from solvers.memory import ran_out

_TIME = re.compile(r"^Time = ([^\s]+?)s?$")
_SOLVED = re.compile(r"Solving for (\w+), Initial residual = (\S+?), Final residual = ([^\s,]+)")
_COURANT = re.compile(r"Courant Number mean: \S+ max: (\S+)")
_CONVERGED = re.compile(r"solution converged in (\d+) iterations")
_SIGNALS = ("sigFpe", "Floating point exception", "sigSegv", "Segmentation fault", "sigInt")
_DISK = (
    "No space left on device",
    "Disk quota exceeded",
    "error writing file",
    "Input/output error",
)
_COMPONENTS = re.compile(r"^(U\w*?)[xyz]$")
_FATAL_LINES = 12
_WARNING_LINES = 4
_PLACES = ("From function", "From ", "in file")  # in OpenFOAM's own code
_TAIL_LINES = 30


@dataclass(slots=True)
class Log:
    """The facts of one log so far.

    Attributes:
        iterations: how many times or iterations began.
        last_time: the last one, as it is written.
        residuals: initial residual of each field in the last iteration; a vector's is the largest
            of its components'.
        courant: largest Courant number of each time, the last thousand.
        converged_after: iterations after which the solver said that it converged.
        ended: whether it came to its end.
        fatal: the lines of its fatal error.
        warnings: its warnings, each in a line.
        failed_checks: what checkMesh found wrong.
        not_finite: the line that shows a number that is none.
        signal: the line that tells of a signal.
        memory: the line that tells of too little memory.
        disk: the line that tells of a full or broken disk.
        tail: the last lines.
    """

    iterations: int = 0
    last_time: str = ""
    residuals: dict[str, float] = field(default_factory=dict)
    courant: deque[float] = field(default_factory=lambda: deque(maxlen=1000))
    converged_after: int | None = None
    ended: bool = False
    fatal: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    failed_checks: list[str] = field(default_factory=list)
    not_finite: str = ""
    signal: str = ""
    memory: str = ""
    disk: str = ""
    tail: deque[str] = field(default_factory=lambda: deque(maxlen=_TAIL_LINES))
    _next: dict[str, float] = field(default_factory=dict)
    _follows: list[str] | None = None
    _warning_lines: int = 0

    def take(self, lines: Iterable[str]) -> None:
        """Read some lines more."""
        for line in lines:
            text = line.rstrip()
            if text:
                self.tail.append(text)
                self._take(text)

    @property
    def telling(self) -> str:
        """The lines that tell most of a failure: the fatal error's, a signal's, or the last."""
        lines = self.fatal or [
            line for line in (self.not_finite, self.signal, self.memory) if line
        ]
        return "\n".join(lines or self.tail)

    @property
    def fatal_message(self) -> str:
        """The fatal error in a line, without the places in OpenFOAM's own code."""
        return " ".join(line for line in self.fatal if not line.startswith(_PLACES))

    def _take(self, text: str) -> None:
        if self._continues(text):
            return
        if found := _SOLVED.search(text):
            self._solved(found.group(1), (_number(found.group(2)), _number(found.group(3))), text)
        elif found := _TIME.match(text):
            self._begin(found.group(1))
        elif found := _COURANT.search(text):
            self.courant.append(_number(found.group(1)))
        elif found := _CONVERGED.search(text):
            self.converged_after = int(found.group(1))
        elif text in {"End", "Finalising parallel run"}:
            self.ended = True
            self.residuals = self._next or self.residuals
        elif text.startswith(" ***"):
            self.failed_checks.append(text.strip(" *"))
        else:
            self._take_trouble(text)

    def _continues(self, text: str) -> bool:
        """Take the lines that belong to a fatal error or, indented, to a warning."""
        if self._warning_lines > 0:
            self._warning_lines -= 1
            if text[0].isspace() and not text.strip().startswith(_PLACES):
                self.warnings[-1] = f"{self.warnings[-1]} {text.strip()}".strip()
        if self._follows is None:
            return False
        is_over = text.startswith(("FOAM exiting", "FOAM aborting", "FOAM parallel run"))
        if is_over or len(self._follows) >= _FATAL_LINES:
            self._follows = None
            return is_over
        self._follows.append(text.strip())
        return True

    def _take_trouble(self, text: str) -> None:
        if "FOAM FATAL" in text:
            self.fatal.append(text.strip("-> "))
            self._follows = self.fatal
        elif "FOAM Warning" in text and len(self.warnings) < _TAIL_LINES:
            self.warnings.append(text.partition("FOAM Warning")[2].strip(" :"))
            self._warning_lines = _WARNING_LINES
        elif any(word in text for word in _SIGNALS) and "trapping" not in text:
            self.signal = self.signal or text.strip()
        if ran_out(text):
            self.memory = self.memory or text.strip()
        if any(word in text for word in _DISK):
            self.disk = self.disk or text.strip()

    def _begin(self, time: str) -> None:
        self.ended = False  # what came to its end was the command of a script before
        self.iterations += 1
        self.last_time = time
        self.residuals, self._next = self._next or self.residuals, {}

    def _solved(self, name: str, residuals: tuple[float, float], line: str) -> None:
        value = residuals[0]
        if not all(map(math.isfinite, residuals)):
            self.not_finite = self.not_finite or line.strip()
        vector = _COMPONENTS.match(name)
        key = vector.group(1) if vector else name
        if vector:  # the largest component's
            self._next[key] = max(self._next.get(key, 0.0), value)
        else:  # the first of the correctors'
            self._next.setdefault(key, value)


def read_log(file: Path) -> Log:
    """Read a whole log."""
    log = Log()
    with file.open(encoding="utf-8", errors="replace") as lines:
        log.take(lines)
    return log


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan
