"""What a step knows of the samples that were tried: frozen in the ledger, whoever retries."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from plain_campaigns import prepare, solve, start

from phases.asked import initial_picks, queried_picks
from phases.campaign import Campaign
from phases.label import conclude_label, records_of, step_to_solve
from phases.outcomes import outcomes, told
from phases.query import query
from phases.retry import append_retried, plan_retry
from phases.scope import scope
from phases.train import train
from pools.outcome import Outcome
from pools.outcomes import Outcomes
from pools.pick import Pick
from pools.record import Attempt, SampleRecord
from pools.sample import Sample
from pools.solution import Cost
from solvers.label import ByHand, label_one
from solvers.workers import SolverWorkers

FAILING: dict[str, Any] = {
    "solver": {"kind": "analytic", "problem": "wave", "fails_above": 0.55},
    "query": [{"kind": "sobol"}],
    "label": {"min_success_fraction": 0.1, "timeout_seconds": 60},
}


@pytest.fixture(scope="module")
def campaign(tmp_path_factory: pytest.TempPathFactory) -> Campaign:
    """Return a campaign that has labelled its first step, and then retried what failed."""
    campaign = start(tmp_path_factory.mktemp("outcomes") / "wave", **FAILING)
    prepare(campaign)
    train(campaign, 0)
    query(campaign, 0)
    solve(campaign, 0, step_to_solve(campaign, 0))
    conclude_label(campaign, 0)
    retry_all(campaign)
    return campaign


def retry_all(campaign: Campaign) -> None:
    """Solve the failed training samples by hand."""
    plan = plan_retry(campaign, by_hand=ByHand({"fails_above": 2.0}))
    with SolverWorkers(campaign.config.solver, 1) as workers:
        for record in plan.records:
            directory = campaign.sample_directory(record.pick.sample.id).path
            policy = campaign.config.label
            label_one(record, directory, workers, policy, retry_failed=True, by_hand=plan.by_hand)
    append_retried(campaign, plan.records)


def rows_of(campaign: Campaign, picks: list[Pick]) -> list[list[float]]:
    return [pick.sample.row(campaign.config.parameters.names).tolist() for pick in picks]


def record(*attempts: tuple[Outcome, float]) -> SampleRecord:
    tried = tuple(Attempt("a", outcome, cost=Cost(seconds)) for outcome, seconds in attempts)
    return SampleRecord(Pick(Sample("x", {"a": 0.0}), "sobol"), 0, tried)


def test_a_step_knows_what_failed_before_it_trained_though_it_is_solved_now(
    campaign: Campaign,
) -> None:
    found = outcomes(campaign, 0)
    assert found.parameters.tolist() == rows_of(campaign, initial_picks(campaign))
    np.testing.assert_array_equal(found.solved, found.parameters[:, 0] <= 0.55)
    assert found.failures > 0
    assert (found.seconds > 0).all()
    assert all(r.outcome is Outcome.OK for r in records_of(campaign, initial_picks(campaign)))


def test_a_step_that_trains_after_a_retry_knows_what_it_solved(campaign: Campaign) -> None:
    found = outcomes(campaign, 1)
    asked = [*initial_picks(campaign), *queried_picks(campaign, 0)]
    assert found.parameters.tolist() == rows_of(campaign, asked)
    assert found.failures == 0
    assert found.seconds[0] > 0


def test_strategies_of_a_campaign_see_the_outcomes(campaign: Campaign) -> None:
    with scope(campaign, 0, "query") as seen:
        assert len(seen.outcomes) == len(initial_picks(campaign))


def test_faults_of_the_machine_cost_nothing_and_are_told_as_such() -> None:
    retried = record((Outcome.INFRASTRUCTURE, 100.0), (Outcome.DIVERGED, 2.0))
    assert told([retried]) == {"samples": {"x": "diverged"}, "seconds": {"x": 2.0}}
    assert told([record((Outcome.INFRASTRUCTURE, 100.0))])["samples"] == {"x": "infrastructure"}
    assert told([record()]) == {"samples": {}, "seconds": {}}


def test_before_anything_is_tried_there_are_no_outcomes_of_as_many_parameters(
    tmp_path: Path,
) -> None:
    found = outcomes(start(tmp_path / "wave"), 0)
    assert (len(found), found.parameters.shape, found.failures) == (0, (0, 2), 0)


def test_outcomes_are_arrays_in_the_order_of_asking() -> None:
    found = Outcomes.of([(np.array([1.0]), True, 2.0), (np.array([3.0]), False, 4.0)], 1)
    assert found.parameters.tolist() == [[1.0], [3.0]]
    assert found.solved.tolist() == [True, False]
    assert found.seconds.tolist() == [2.0, 4.0]
