"""The convergence gate: whether a run's answer is to be believed, and why, in words."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from solvers.openfoam.convergence import Convergence
from solvers.openfoam.log import Log
from solvers.openfoam.measures import drift
from solvers.openfoam.quantities import Series

Grade = Literal["converged", "marginal", "rejected"]
_ORDER: Mapping[str, int] = {"converged": 0, "marginal": 1, "rejected": 2}


@dataclass(frozen=True, slots=True)
class Finding:
    """What one rule found.

    Attributes:
        rule: its name in the campaign file.
        value: what was measured.
        limit: what the campaign allows.
        grade: what follows.
        words: the same for a person.
    """

    rule: str
    value: float
    limit: float
    grade: Grade
    words: str

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Judged:
    """All findings and the grade that follows: the worst."""

    findings: Sequence[Finding]

    @property
    def grade(self) -> Grade:
        """The worst grade found; converged where no rule was asked."""
        return max((f.grade for f in self.findings), key=_ORDER.__getitem__, default="converged")

    @property
    def reason(self) -> str:
        """Why it is no better, in words; empty where it is converged."""
        worst = [f.words for f in self.findings if f.grade == self.grade != "converged"]
        return f"{self.grade}: {'; '.join(worst)}" if worst else ""

    def is_accepted(self, rules: Convergence) -> bool:
        """Whether the campaign lets it into the pool."""
        return _ORDER[self.grade] <= _ORDER[rules.accept]


def judge(
    rules: Convergence,
    log: Log,
    series: Mapping[str, Series],
    *,
    steady: bool,
    imbalance: float | None,
) -> Judged:
    """Ask every rule of the gate.

    Args:
        rules: the campaign's.
        log: of the solver that ran last.
        series: the quantities that have a record, by name.
        steady: whether the case's time scheme is steady.
        imbalance: net flow through all patches over the flow through them; None without any.
    """
    found = [
        *_iterations(rules, log),
        *_residuals(rules, log, steady=steady),
        *_drifts(rules, series),
        *_courant(rules, log, steady=steady),
    ]
    if rules.mass_balance is not None and imbalance is not None:
        words = f"the net flow through the patches is {imbalance:.2g} of the flow through them"
        found.append(_finding(rules, "mass_balance", imbalance, rules.mass_balance, words))
    return Judged(found)


def _iterations(rules: Convergence, log: Log) -> Iterator[Finding]:
    if log.iterations < rules.min_iterations:
        words = (
            f"the solver ended after {log.iterations} iterations, which solves nothing; is a wall "
            "or an inlet forgotten?"
        )
        limit = float(rules.min_iterations)
        yield Finding("min_iterations", float(log.iterations), limit, "rejected", words)


def _residuals(rules: Convergence, log: Log, *, steady: bool) -> Iterator[Finding]:
    match rules.residual:
        case None:
            return
        case dict() as each:
            limits = dict(each)
        case limit:
            limits = dict.fromkeys(log.residuals, limit) if steady else {}
    for name, limit in limits.items():
        value = log.residuals.get(name, float("inf"))
        words = (
            f"the initial residual of {name} is {value:.2g} after {log.iterations} iterations, "
            f"asked for is {limit:g}"
        )
        found = _finding(rules, f"residual.{name}", value, limit, words)
        is_stopped_early = found.grade != "converged" and log.converged_after is not None
        yield replace(found, words=f"{words}; {_way_out(found)}") if is_stopped_early else found


def _way_out(found: Finding) -> str:
    """Say what to do where the solver ended because the case itself asks for less."""
    way = (
        "the case's own residualControl ended the run there: lower it in the template's "
        "system/fvSolution"
    )
    accept = ", or take such answers with solver.convergence.accept: marginal"
    return way + (accept if found.grade == "marginal" else "")


def _drifts(rules: Convergence, series: Mapping[str, Series]) -> Iterator[Finding]:
    if (asked := rules.drift) is None:
        return
    for name in asked.quantities or tuple(series):
        record = series[name]
        value = drift(record.times, record.values, asked.window)
        words = (
            f"{name} still moves by {value:.2g} of its size over the last {asked.window:.0%} of "
            f"the run, allowed is {asked.limit:g}"
        )
        yield _finding(rules, f"drift.{name}", value, asked.limit, words)


def _courant(rules: Convergence, log: Log, *, steady: bool) -> Iterator[Finding]:
    if rules.courant is None or steady or not log.courant:
        return
    recent = list(log.courant)[len(log.courant) // 2 :]
    words = f"the Courant number reaches {max(recent):.3g}, allowed is {rules.courant:g}"
    yield _finding(rules, "courant", max(recent), rules.courant, words)


def _finding(rules: Convergence, rule: str, value: float, limit: float, words: str) -> Finding:
    if value <= limit:
        grade: Grade = "converged"
    else:
        grade = "marginal" if value <= rules.marginal * limit else "rejected"
    return Finding(rule, value, limit, grade, words)
