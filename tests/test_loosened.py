"""Which changes of a try make the convergence gate looser."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from openfoam_cases import cavity_with
from plain_campaigns import start

from phases.retry import Plan, conclude
from pools.pick import Pick
from pools.record import SampleRecord
from pools.sample import Sample
from solvers.label import ByHand
from solvers.loosened import loosened
from solvers.settings import AnalyticSettings

GATE = {
    "residual": 1e-5,
    "courant": None,
    "bounds": {"U": 2.0},
    "drift": {"limit": 1e-3, "window": 0.2},
}
CAVITY = cavity_with({"convergence": GATE})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"convergence.residual": 1e-2}, "convergence.residual=0.01 (declared 1e-05)"),
        ({"solver.convergence.bounds.U": 3}, "convergence.bounds.U=3.0 (declared 2.0)"),
        ({"convergence.min_iterations": 1}, "convergence.min_iterations=1 (declared 2)"),
        ({"convergence.drift.window": 0.1}, "convergence.drift.window=0.1 (declared 0.2)"),
        ({"convergence.accept": "marginal"}, "convergence.accept=marginal (declared converged)"),
    ],
)
def test_what_is_looser_is_said(change: Any, said: str) -> None:
    assert loosened(CAVITY, change) == f"with a looser gate than the others: {said}"


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"scheme": "upwind", "residual": 1e-2},
        {"convergence.residual": 1e-6},
        {"convergence.courant": 0.5},
        {"convergence.min_iterations": 3},
        {"convergence.drift.window": 0.5},
        {"convergence.accept": "converged"},
    ],
)
def test_what_is_as_strict_or_stricter_is_not(change: Any) -> None:
    assert loosened(CAVITY, change) == ""


def test_other_solvers_have_no_gate() -> None:
    assert loosened(AnalyticSettings(), {"seconds": 1.0}) == ""


def test_a_retry_says_in_the_end_that_its_gate_was_looser(tmp_path: Path) -> None:
    started = start(tmp_path / "wave")
    campaign = replace(started, config=started.config.model_copy(update={"solver": CAVITY}))
    record = SampleRecord(Pick(Sample("0" * 16, {}), "sobol"), 0, solution="its digest")
    campaign.sample_directory(record.pick.sample.id).write(record)
    plan = Plan([record], ByHand({"convergence.residual": 1e-2}))
    assert conclude(campaign, plan) == (
        "1 of 1 solved, with a looser gate than the others: "
        "convergence.residual=0.01 (declared 1e-05)"
    )
