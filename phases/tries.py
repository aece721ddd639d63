"""How each try at a sample was made and how it ended, in words."""

from phases.campaign import Campaign
from pools.outcome import Outcome
from pools.record import Attempt, SampleRecord
from solvers.loosened import loosened
from solvers.recovery import Try
from solvers.settings import SolverSettings


def tries_of(campaign: Campaign, record: SampleRecord) -> list[str]:
    """Say of each try: `attempt-02 by hand, scheme=upwind: not converged after 2.1 s`.

    A directory that the record does not know of was left by a command that was interrupted.
    """
    settings, place = campaign.config.solver, campaign.sample_directory(record.pick.sample.id)
    known = {attempt.directory for attempt in record.attempts}
    cut = [directory for directory in place.attempts() if directory.name not in known]
    return [
        *(f"{a.directory} {_how(settings, a)}: {_end(a)}" for a in record.attempts),
        *(f"{d.name} {_how(settings, Try.read(d))}: interrupted, or still running" for d in cut),
    ]


def is_interrupted(attempt: Attempt) -> bool:
    """Whether whoever made it was gone before it ended: nobody knows with which code it did."""
    return attempt.outcome is Outcome.INFRASTRUCTURE and attempt.exit_code is None


def _how(settings: SolverSettings, tried: Attempt | Try) -> str:
    parts = [
        tried.rung or "as declared",
        *(f"{key}={value}" for key, value in tried.changes.items()),
        f"from sample {tried.start}" if tried.start else "",
        loosened(settings, tried.changes),
    ]
    return ", ".join(part for part in parts if part)


def _end(attempt: Attempt) -> str:
    if is_interrupted(attempt):
        return "interrupted"
    outcome = attempt.outcome.value.replace("_", " ")
    return f"{outcome} after {attempt.cost.wall_seconds:.1f} s"
