"""What strategies are compared on: quick solvers, and flows replayed from a table."""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, Self

from benchmarks.replay_table import ReplayTable, TableSequence
from pools.candidates import CandidatePool, DesignSequence
from pools.domain import Domain
from pools.errors import SolverError
from pools.parameter import Parameter
from pools.sample import Sample
from pools.seeds import seed_for
from pools.solution import Solution
from pools.space import ParameterSpace
from solvers.build import build
from solvers.settings import AnalyticSettings, SolverSettings

_TEST_SEED = seed_for(0, 0, "test set of the benchmark")
_STRIDE = 61  # rows between the initial designs of two seeds; coprime to any power of two


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What became of a sample.

    Attributes:
        solution: its solution; None where the solver failed.
        seconds: of the solver, in either case; of a quick one how many times its least, as if that
            were a second.
    """

    solution: Solution | None
    seconds: float


class Problem(Protocol):
    """What a strategy is tried on. Only `seed` differs between paired runs."""

    @property
    def name(self) -> str:
        """As on the command line."""
        ...

    @property
    def space(self) -> ParameterSpace:
        """The parameters."""
        ...

    @property
    def fingerprint(self) -> str:
        """The solver's."""
        ...

    def design(self, seed: int, used: int) -> DesignSequence | TableSequence:
        """Return the sequence of the initial design, with `used` of its points gone."""
        ...

    def candidates(self, seed: int, step: int) -> CandidatePool:
        """Return the unlabeled pool of a step; labelled points may still be in it."""
        ...

    def answer(self, sample: Sample) -> Answer:
        """Solve the sample, or say that it fails, and what that cost."""
        ...

    def test_set(self) -> list[Solution]:
        """Return the solved test set, the same for every seed and never from the pool."""
        ...


@dataclass(frozen=True)
class SolvedProblem:
    """A quick solver, asked as the loop goes, with a fresh pool each step as in a campaign.

    Attributes:
        name: as on the command line.
        space: the parameters.
        settings: who answers.
        test_samples: how many samples are asked for the test set.
        pool: candidates of each step.
    """

    name: str
    space: ParameterSpace
    settings: SolverSettings
    test_samples: int
    pool: int = 4096

    @classmethod
    def of_closed_form(cls, problem: str, test_samples: int, pool: int = 4096) -> Self:
        """Return a closed form on the unit cube."""
        settings = AnalyticSettings.model_validate({"problem": problem})
        names = build(settings).parameters
        space = ParameterSpace({name: Parameter(low=0, high=1) for name in names})
        return cls(problem, space, settings, test_samples, pool)

    @property
    def fingerprint(self) -> str:
        """The solver's."""
        return build(self.settings).fingerprint

    def design(self, seed: int, used: int) -> DesignSequence:
        """Return a Sobol' sequence of this seed's own."""
        scrambling = seed_for(seed, 0, "initial design")
        return DesignSequence(Domain(self.space), scrambling, used, self.fingerprint)

    def candidates(self, seed: int, step: int) -> CandidatePool:
        """Return a fresh draw."""
        rows = self.space.sobol(self.pool, seed_for(seed, step, "candidates"))
        return CandidatePool(rows, self.space.names, self.fingerprint)

    def answer(self, sample: Sample) -> Answer:
        """Solve it; what the solver says of a failure is not kept."""
        with tempfile.TemporaryDirectory() as directory:
            try:
                solution = build(self.settings).solve(sample, Path(directory))
            except SolverError as failed:
                return Answer(None, _effort(failed.evidence))
        return Answer(solution, _effort(solution.evidence))

    def test_set(self) -> list[Solution]:
        """Solve a Sobol' draw of the test set's own, and keep what succeeds."""
        rows = self.space.sobol(self.test_samples, _TEST_SEED)
        samples = Sample.of_rows(rows, self.space.names, self.fingerprint)
        answers = [self.answer(sample) for sample in samples]
        return [answer.solution for answer in answers if answer.solution is not None]


def _effort(evidence: Mapping[str, Any]) -> float:
    """Return how long a solve takes; one that does not say takes as long as any other."""
    return float(evidence.get("effort", 1.0))


@dataclass(frozen=True)
class ReplayProblem:
    """Flows from a table: its rows are the pool, and its order is the design sequence."""

    name: str
    table: ReplayTable

    @property
    def space(self) -> ParameterSpace:
        """The table's."""
        return self.table.space

    @property
    def fingerprint(self) -> str:
        """The solver's."""
        return self.table.fingerprint

    def design(self, seed: int, used: int) -> TableSequence:
        """Return the table's order, beginning at a row of this seed's own."""
        rows = self.table.rows
        start = seed * _STRIDE % len(rows)
        return TableSequence(rows, start, self.space.names, used, self.fingerprint)

    def candidates(self, seed: int, step: int) -> CandidatePool:  # noqa: ARG002 - the whole table
        """Return the whole table, whatever the seed and the step."""
        return CandidatePool(self.table.rows, self.space.names, self.fingerprint)

    def answer(self, sample: Sample) -> Answer:
        """Look it up; the table holds what was solved only."""
        return Answer(self.table.answer(sample), self.table.seconds(sample))

    def test_set(self) -> list[Solution]:
        """Look it up; it is another Sobol' sequence than the candidates."""
        return self.table.test_set()
