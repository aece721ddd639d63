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
PROBLEMS = ("channel", "local", "shock", "cliff", "friedman", "combined")
TESTS = {
    "channel": 64,
    "local": 1024,
    "shock": 256,
    "cliff": 1024,
    "friedman": 1024,
    "combined": 512,
}
DESIGNS = {
    "channel": (32, 16),
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
        channel_seeds: the same on the channel, where a curve takes longest.
        steps: turns of the loop.
        table: channel flows to choose from.
        surrogate: who learns.
    """

    seeds: int
    channel_seeds: int
    steps: int
    table: int
    surrogate: EnsembleSettings

    @classmethod
    def of(cls, *, full: bool) -> "Size":
        """Return the full size or the short one."""
        return cls(20, 10, 10, 1536, EnsembleSettings()) if full else cls(3, 3, 6, 400, SHORT)

    def seeds_of(self, problem: str) -> int:
        """Return how many paired runs a problem gets."""
        return self.channel_seeds if problem == "channel" else self.seeds


def problem_of(name: str, table: int) -> Problem:
    """Return a problem by its name."""
    match name:
        case "channel":
            campaign = load(ROOT / "examples" / "channel.yaml")
            directory, test = RESULTS / "channel-table", TESTS[name]
            space, solver = campaign.parameters, campaign.solver
            return ReplayProblem(name, ReplayTable(space, solver, directory, table, test))
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
