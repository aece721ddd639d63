"""A table of flows that are solved once, so that all strategies are compared on the same answers.

Its rows are a Sobol' sequence, so that any run of them is a design as good as the sequence itself.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pools.errors import SolverError, UsageError
from pools.pick import Pick
from pools.record import SampleDirectory, SampleRecord
from pools.sample import Sample
from pools.solution import Solution
from pools.space import ParameterSpace
from pools.vtkhdf import read_solution
from solvers.build import build
from solvers.label import label_one
from solvers.policy import LabelPolicy
from solvers.settings import SolverSettings
from solvers.workers import SolverWorkers

_CANDIDATE_SEED, _TEST_SEED = 11, 12  # of the scrambling: two sequences that share no point


@dataclass(frozen=True)
class ReplayTable:
    """Solved samples on disk: candidates to choose from, and an independent test set.

    Attributes:
        space: the parameters.
        settings: who answers.
        policy: how it is asked, and what is tried where it fails.
        directory: one directory per sample below it, as in a campaign.
        size: how many candidates were asked of the solver; those that failed are left out.
        test_samples: how many samples were asked for the test set.
    """

    space: ParameterSpace
    settings: SolverSettings
    policy: LabelPolicy
    directory: Path = field(repr=False)  # where the flows are decides no curve
    size: int
    test_samples: int

    @property
    def fingerprint(self) -> str:
        """The solver's."""
        return build(self.settings).fingerprint

    @cached_property
    def rows(self) -> NDArray[np.float64]:
        """The candidates that have a solution, in the sequence's order, shape (n, d)."""
        rows = [sample.row(self.space.names) for sample in self.solved()]
        return np.reshape(rows, (-1, self.space.d))

    def solved(self) -> list[Sample]:
        """Return the candidates that have a solution, in the sequence's order."""
        return self._solved(self._candidates())

    def test_set(self) -> list[Solution]:
        """Return the solutions of the test set."""
        return [self.answer(sample) for sample in self._solved(self._tests())]

    def answer(self, sample: Sample) -> Solution:
        """Return the solution of one of the samples."""
        return read_solution(self._place(sample).solution)

    def seconds(self, sample: Sample) -> float:
        """Return the solver's seconds for one of the samples, all tries together."""
        record = self._place(sample).read()
        return record.seconds if record else 0.0

    def solve(self, workers: int) -> Iterator[None]:
        """Solve what is not solved yet, and yield once for every sample of the table."""
        samples = [*self._candidates(), *self._tests()]
        with (
            SolverWorkers(self.settings, workers) as solvers,
            ThreadPoolExecutor(workers) as executor,
        ):
            yield from executor.map(lambda sample: self._label(sample, solvers), samples)

    def failures(self) -> int:
        """Count the samples of the table that have no solution."""
        return self.size + self.test_samples - len(self.rows) - len(self._solved(self._tests()))

    def _label(self, sample: Sample, workers: SolverWorkers) -> None:
        record, place = SampleRecord(Pick(sample, "table"), 0), self._place(sample)
        try:
            label_one(record, place.path, workers, self.policy)
        except SolverError:
            return  # its evidence is in its directory; `failures` counts it

    def _candidates(self) -> list[Sample]:
        return self._draw(self.size, _CANDIDATE_SEED)

    def _tests(self) -> list[Sample]:
        return self._draw(self.test_samples, _TEST_SEED)

    def _draw(self, n: int, seed: int) -> list[Sample]:
        return Sample.of_rows(self.space.sobol(n, seed), self.space.names, self.fingerprint)

    def _solved(self, samples: Sequence[Sample]) -> list[Sample]:
        return [sample for sample in samples if self._place(sample).solution.is_file()]

    def _place(self, sample: Sample) -> SampleDirectory:
        return SampleDirectory(self.directory / "samples" / sample.id)


@dataclass(frozen=True, slots=True, eq=False)
class TableSequence:
    """The table's own order as a design sequence, beginning at another row for each seed.

    Attributes:
        rows: the table's candidates, in its order, shape (n, d).
        start: the row where the sequence begins; it goes round at the end.
        names: the parameters' names.
        used: how many of its points were asked for so far.
        solver: fingerprint of the solver that answered.
    """

    rows: NDArray[np.float64]
    start: int
    names: tuple[str, ...]
    used: int
    solver: str

    def behind(self, picked: int, others: NDArray[np.float64]) -> "TableSequence":  # noqa: ARG002 - no point comes twice
        """Return the sequence behind its next `picked` points."""
        return replace(self, used=self.used + picked)

    def next(self, k: int) -> Sequence[Sample]:
        """Return the sequence's next `k` points.

        Raises:
            UsageError: the table has no more of them.
        """
        if self.used + k > len(self.rows):
            raise UsageError(
                f"asked for {k} samples but {len(self.rows) - self.used} of the table are left; "
                "solve a larger table with --table"
            )
        places = (self.start + self.used + np.arange(k)) % len(self.rows)
        return Sample.of_rows(self.rows[places], self.names, self.solver)
