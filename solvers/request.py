"""What a supervisor is asked: one solve, or one residual, as one line of JSON."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import TypeAdapter

from pools.record import Setting
from pools.sample import Sample
from solvers.recovery import Try


@dataclass(frozen=True, slots=True)
class Request:
    """One solve.

    Attributes:
        sample: the question.
        directory: the attempt's directory, absolute.
        timeout_seconds: its deadline.
        grace_seconds: time between the polite and the forced end.
        memory_gib: most memory of each process; None for no limit.
        tried: how it differs from what the campaign file declares.
        start: directory of the solved sample that it begins from.
        fields: file of predicted fields, shape (p, c), where their residual is asked for instead
            of a solution.
        level: what the level of the solver that is asked changes of its settings.
    """

    sample: Sample
    directory: Path
    timeout_seconds: float
    grace_seconds: float
    memory_gib: float | None = None
    tried: Try = field(default_factory=Try)
    start: Path | None = None
    fields: Path | None = None
    level: Mapping[str, Setting] = field(default_factory=dict)

    def line(self) -> str:
        """Write it down."""
        return _AS_JSON.dump_json(self).decode()

    @classmethod
    def of_line(cls, line: str | bytes) -> "Request":
        """Read what `line` wrote."""
        return _AS_JSON.validate_json(line)


_AS_JSON = TypeAdapter(Request)  # built once: building one takes milliseconds
