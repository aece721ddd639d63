"""Every exception that solverloop raises on purpose.

    SolverloopError
    ├── UsageError            what the user gave cannot be used        (exit code 2)
    ├── CampaignError         a run that cannot go on                  (exit code 1)
    │   ├── BusyError         another process runs the campaign
    │   ├── IntegrityError    a file is not what the ledger says it is
    │   └── TooFewLabelsError fewer samples succeeded than the campaign asks for
    └── SolverError           one sample has no solution; it carries its evidence

Each message says what it got, what is allowed, and the way out.
"""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pools.outcome import Outcome

_NONE: Mapping[str, Any] = MappingProxyType({})


class SolverloopError(Exception):
    """The root of the tree: catch it to catch all that solverloop raises on purpose."""


class UsageError(SolverloopError):
    """A campaign file, an argument or a directory that cannot be used as given."""


class CampaignError(SolverloopError):
    """A run that cannot go on, though what the user asked for was well-formed."""


class BusyError(CampaignError):
    """Another process holds the campaign; nothing was changed."""


class IntegrityError(CampaignError):
    """A file on disk is missing, damaged, or not the one that was recorded."""


class TooFewLabelsError(CampaignError):
    """Fewer samples of a step were solved than the campaign declares to be enough."""


class SolverError(SolverloopError):
    """One sample has no solution.

    Attributes:
        outcome: which kind of failure.
        directory: the attempt's directory, with everything that the solver left.
        log_tail: the last lines of the solver's log.
        evidence: what the judgement rests on (stages, residuals, findings), as JSON; `grade` in it
            is the grade that the answer got, `signal` the signal that ended the solver.
    """

    def __init__(
        self,
        outcome: Outcome,
        reason: str,
        directory: Path,
        log_tail: str = "",
        evidence: Mapping[str, Any] = _NONE,
    ) -> None:
        super().__init__(f"{outcome.value}: {reason} (evidence in {directory})")
        self.outcome = outcome
        self.reason = reason
        self.directory = directory
        self.log_tail = log_tail
        self.evidence = dict(evidence)
