"""The gate: converged, marginal or rejected, and why in words."""

from typing import Any

import numpy as np
import pytest

from solvers.openfoam.convergence import Convergence
from solvers.openfoam.gate import Judged, judge
from solvers.openfoam.log import Log
from solvers.openfoam.quantities import Series

TIMES = np.arange(1.0, 101.0)


def judged(
    rules: dict[str, Any],
    *,
    residual: float = 1e-6,
    iterations: int = 100,
    steady: bool = True,
    imbalance: float | None = None,
    slope: float = 0.0,
) -> Judged:
    log = Log(iterations=iterations, residuals={"U": residual, "p": 1e-7})
    log.courant.extend([50.0, 50.0, 0.5, 2.0])
    series = {"drag": Series(TIMES, 1 + slope * TIMES)}
    asked = Convergence.model_validate(rules)
    return judge(asked, log, series, steady=steady, imbalance=imbalance)


@pytest.mark.parametrize(
    ("residual", "grade"),
    [(1e-6, "converged"), (1e-5, "converged"), (5e-5, "marginal"), (2e-4, "rejected")],
)
def test_residuals_decide(residual: float, grade: str) -> None:
    assert judged({"residual": 1e-5}, residual=residual).grade == grade


def test_reasons_name_value_limit_and_rule() -> None:
    found = judged({"residual": 1e-5}, residual=5e-5)
    assert found.reason == (
        "marginal: the initial residual of U is 5e-05 after 100 iterations, asked for is 1e-05"
    )


def ended_by_its_own_control(residual: float) -> str:
    log = Log(iterations=100, residuals={"U": residual}, converged_after=100)
    return judge(Convergence(residual=1e-5), log, {}, steady=True, imbalance=None).reason


def test_a_case_that_asks_for_less_than_the_campaign_is_told_the_way_out() -> None:
    assert ended_by_its_own_control(5e-5).endswith(
        "; the case's own residualControl ended the run there: lower it in the template's "
        "system/fvSolution, or take such answers with solver.convergence.accept: marginal"
    )
    assert ended_by_its_own_control(5e-4).endswith("system/fvSolution")
    assert "residualControl" not in judged({"residual": 1e-5}, residual=5e-5).reason


def test_what_is_converged_needs_no_reason() -> None:
    assert judged({"residual": 1e-5}).reason == ""


def test_each_field_may_have_its_own_limit() -> None:
    found = judged({"residual": {"p": 1e-8, "U": 1}})
    assert [finding.rule for finding in found.findings if finding.grade != "converged"] == [
        "residual.p"
    ]
    assert found.grade == "marginal"


def test_a_field_that_was_never_solved_is_rejected() -> None:
    assert judged({"residual": {"k": 1e-3}}).grade == "rejected"


def test_one_limit_is_asked_of_steady_runs_only() -> None:
    assert judged({"residual": 1e-9}, steady=False).grade == "converged"


def test_a_quantity_that_still_moves_is_not_converged() -> None:
    rules = {"drift": {"quantities": ["drag"], "window": 0.2, "limit": 1e-3}}
    assert judged(rules).grade == "converged"
    assert judged(rules, slope=1e-4).grade == "marginal"
    assert judged(rules, slope=1.0).grade == "rejected"


def test_drift_looks_at_all_quantities_unless_some_are_named() -> None:
    assert judged({"drift": {}}, slope=1.0).findings[-1].rule == "drift.drag"


def test_a_net_flow_is_not_converged() -> None:
    assert judged({}, imbalance=1e-5).grade == "converged"
    assert judged({}, imbalance=5e-3).grade == "marginal"
    assert judged({}, imbalance=0.5).grade == "rejected"
    assert judged({"mass_balance": None}, imbalance=0.5).grade == "converged"


def test_the_courant_number_of_the_last_half_counts() -> None:
    assert judged({"courant": 3}, steady=False).grade == "converged"
    assert judged({"courant": 1}, steady=False).grade == "marginal"
    assert judged({"courant": 0.1}, steady=False).grade == "rejected"


def test_a_run_of_one_iteration_has_solved_nothing() -> None:
    found = judged({}, iterations=1)
    assert found.grade == "rejected"
    assert "forgotten" in found.reason


@pytest.mark.parametrize(
    ("accept", "residual", "accepted"),
    [
        ("converged", 1e-6, True),
        ("converged", 5e-4, False),
        ("marginal", 5e-4, True),
        ("marginal", 1.0, False),
    ],
)
def test_the_campaign_says_what_is_let_in(accept: str, residual: float, accepted: bool) -> None:  # noqa: FBT001
    found = judged({"accept": accept}, residual=residual)
    assert found.is_accepted(Convergence.model_validate({"accept": accept})) is accepted


def test_findings_are_json() -> None:
    found = judged({}).findings[0].to_json()
    assert set(found) == {"rule", "value", "limit", "grade", "words"}
