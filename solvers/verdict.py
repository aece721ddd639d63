"""What a solve says of itself, as `outcome.json` in its attempt's directory."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from pools.files import publish_json
from pools.outcome import Outcome
from solvers.evidence import as_json

FILE = "outcome.json"


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a solve went, as far as its own process could tell.

    Attributes:
        outcome: how it ended.
        reason: why, in words; of an answer, its remark.
        grade: `converged`, `marginal` or `rejected`, where the solver judges its answers.
        evidence: what the judgement rests on.
        wall_seconds: seconds that it took.
    """

    outcome: Outcome
    reason: str = ""
    grade: str = ""
    evidence: Mapping[str, Any] = field(default_factory=dict)
    wall_seconds: float = 0.0

    def write(self, directory: Path) -> None:
        """Publish it."""
        publish_json(directory / FILE, as_json(asdict(self)))

    @classmethod
    def read(cls, directory: Path) -> "Verdict | None":
        """Return what the solve in this directory said; None where it did not get to it."""
        try:
            return _AS_JSON.validate_json((directory / FILE).read_bytes())
        except (OSError, ValidationError):
            return None


_AS_JSON = TypeAdapter(Verdict)  # built once: building one takes milliseconds
