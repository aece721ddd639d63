"""What the curves of one problem say of each strategy against random choice."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.curves import Curve
from benchmarks.scores import Interval, alc, der, over_seeds, typical

Array = NDArray[np.float64]

BASELINE = "random"


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """The curves of one problem.

    Attributes:
        problem: its name.
        labelled: samples asked for at each step, the same for all strategies, shape (t,): labels,
            where no sample can fail.
        errors: headline errors of each strategy by seed and step, shape (s, t).
    """

    problem: str
    labelled: Array
    errors: dict[str, Array]

    @classmethod
    def of(cls, curves: Sequence[Curve], problem: str) -> "Comparison":
        """Put the curves of one problem together."""
        mine = [curve for curve in curves if curve.problem == problem]
        errors = {
            strategy: np.array(
                [[p.error for p in curve.points] for curve in mine if curve.strategy == strategy]
            )
            for strategy in dict.fromkeys(curve.strategy for curve in mine)
        }
        return cls(problem, np.array([p.runs for p in mine[0].points], float), errors)

    @property
    def seeds(self) -> int:
        """How many."""
        return len(self.errors[BASELINE])

    def alc(self, strategy: str) -> Interval:
        """Return the mean over seeds and steps of the log error against random choice's."""
        differences = alc(self.errors[strategy], self.errors[BASELINE])
        return over_seeds(self.seeds, lambda chosen: float(differences[chosen].mean()))

    def der(self, strategy: str) -> Interval:
        """Return the data-efficiency ratio of the curves' geometric means over seeds."""
        ours, theirs = self.errors[strategy], self.errors[BASELINE]
        return over_seeds(
            self.seeds,
            lambda chosen: der(self.labelled, typical(ours[chosen]), typical(theirs[chosen])),
        )

    def middle(self, strategy: str) -> list[Interval]:
        """Return the geometric mean error at each step."""
        return [self._middle_at(errors) for errors in self.errors[strategy].T]

    def _middle_at(self, errors: Array) -> Interval:
        logs = np.log(errors)  # (s,)
        return over_seeds(self.seeds, lambda chosen: float(np.exp(logs[chosen].mean())))


def print_comparison(comparison: Comparison) -> None:
    """Print one line for each strategy."""
    first, last = (int(comparison.labelled[i]) for i in (0, -1))
    print(f"\n{comparison.problem}: {first} to {last} labels, {comparison.seeds} paired seeds")
    print(
        f"  {'strategy':10}{f'error at {first}':>14}{f'at {last}':>10}{'ALC [95 %]':>26}", end=""
    )
    print(f"{'DER [95 %]':>24}")
    for strategy, errors in comparison.errors.items():
        start, *_, end = typical(errors)
        print(f"  {strategy:10}{start:14.4f}{end:10.4f}", end="")
        if strategy == BASELINE:
            print(f"{'0':>8}{'1':>24}")
            continue
        print(f"{_text(comparison.alc(strategy), '+.3f'):>26}", end="")
        print(f"{_text(comparison.der(strategy), '.2f'):>24}")


def print_overall(comparisons: Sequence[Comparison]) -> None:
    """Print each strategy's DER by problem, and their geometric mean."""
    print("\nDER, geometric mean over problems")
    for strategy in comparisons[0].errors:
        ratios = [comparison.der(strategy).value for comparison in comparisons]
        print(f"  {strategy:10}{np.exp(np.log(ratios).mean()):8.2f}")


def _text(interval: Interval, form: str) -> str:
    if np.isnan(interval.low):
        return format(interval.value, form)
    return f"{interval.value:{form}} [{interval.low:{form}}, {interval.high:{form}}]"
