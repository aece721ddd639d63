"""How large the comparison of strategies is: its short and its full setting."""

from dataclasses import dataclass
from pathlib import Path

from benchmarks.problems import Problem, ReplayProblem, SolvedProblem
from benchmarks.replay import Plan
from benchmarks.replay_table import ReplayTable
from phases.config import load
from surrogates.settings import EnsembleSettings, Schedule

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results"
USUAL = ("channel", "local", "shock", "cliff", "friedman", "combined")
TABLES = {"channel": "channel.yaml", "cavity": "cavity/cavity.yaml"}
"""Problems whose flows are replayed from a table, and the example that each is of."""
PROBLEMS = (*USUAL, "cavity")  # which OpenFOAM solves
TESTS = {
    "channel": 64,
    "cavity": 64,
    "local": 1024,
    "shock": 256,
    "cliff": 1024,
    "friedman": 1024,
    "combined": 512,
}
DESIGNS = {
    "channel": (32, 16),
    "cavity": (12, 6),
    "local": (64, 32),
    "shock": (32, 16),
    "cliff": (64, 32),
    "friedman": (64, 32),
    "combined": (64, 32),
}
"""Samples of the initial design, and of each step: enough for the ensemble to know something."""

SHORT = EnsembleSettings(initial=Schedule(kind="cosine", start=3e-3, end=1e-6, length=1500))
"""As accurate on these problems as the default's 5,000 optimizer steps, in a third of the time."""


@dataclass(frozen=True, slots=True)
class Size:
    """How much to run.

    Attributes:
        seeds: paired runs of every strategy.
        table_seeds: the same where flows are replayed from a table, and a curve takes longest.
        steps: turns of the loop.
        table: flows to choose from.
        surrogate: who learns.
    """

    seeds: int
    table_seeds: int
    steps: int
    table: int
    surrogate: EnsembleSettings

    @classmethod
    def of(cls, *, full: bool) -> "Size":
        """Return the full size or the short one."""
        return cls(20, 10, 10, 1536, EnsembleSettings()) if full else cls(3, 3, 6, 400, SHORT)

    def seeds_of(self, problem: str) -> int:
        """Return how many paired runs a problem gets."""
        return self.table_seeds if problem in TABLES else self.seeds


def problem_of(name: str, table: int) -> Problem:
    """Return a problem by its name."""
    match name:
        case _ if name in TABLES:
            campaign = load(ROOT / "examples" / TABLES[name])
            flows = ReplayTable(
                space=campaign.parameters,
                settings=campaign.solver,
                policy=campaign.label,
                directory=RESULTS / f"{name}-table",
                size=table,
                test_samples=TESTS[name],
            )
            return ReplayProblem(name, flows)
        case "combined":
            campaign = load(ROOT / "examples" / "combined.yaml")
            return SolvedProblem(name, campaign.parameters, campaign.solver, TESTS[name])
        case "local" | "shock" | "cliff" | "friedman":
            return SolvedProblem.of_closed_form(name, TESTS[name])
        case _:
            raise ValueError(f"no problem {name!r}; there are {', '.join(PROBLEMS)}")


def plan_of(name: str, size: Size) -> Plan:
    """Return how much a problem's curves learn from."""
    initial, per_step = DESIGNS[name]
    return Plan(initial, per_step, size.steps, size.surrogate)
