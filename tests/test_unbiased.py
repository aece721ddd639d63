"""What a learner foretold of samples that it did not choose."""

import json
from pathlib import Path

import numpy as np
import pytest
from plain_campaigns import files_of, run, start

from phases.campaign import Campaign
from phases.check import check
from phases.unbiased import estimate_in, read_unbiased
from pools.errors import IntegrityError
from pools.training import TrainingPool
from strategies.foretold import Foretold
from strategies.metrology import evaluate
from strategies.remaining import SOBOL
from strategies.stopping import StepRecord, StoppingSettings, decide
from strategies.unbiased import WINDOW, foretell, scales_of, unbiased_error
from surrogates.checkpoint import load


def foretold(errors: list[float], variance: float | None = 1.0) -> list[Foretold]:
    return [
        Foretold(str(i), i, {"fields.u": e}, {"fields.u": 1.0}, variance and variance * e)
        for i, e in enumerate(errors)
    ]


@pytest.fixture(scope="module")
def half_sobol(tmp_path_factory: pytest.TempPathFactory) -> Campaign:
    """Run a campaign in which half of each step follows the Sobol' sequence."""
    campaign = start(
        tmp_path_factory.mktemp("unbiased") / "wave",
        query=[{"kind": "sbal", "fraction": 0.5}, {"kind": "sobol", "fraction": 0.5}],
        stopping={"max_steps": 3},
    )
    run(campaign)
    return campaign


def test_without_foretold_samples_there_is_no_estimate() -> None:
    assert unbiased_error([], 0) is None


def test_few_samples_have_an_error_and_no_interval() -> None:
    found = unbiased_error(foretold([0.1, 0.3]), 0)
    assert found is not None
    assert found.error == pytest.approx(0.2)
    assert (found.low, found.high, found.rank_correlation) == (None, None, None)


def test_the_interval_holds_the_error_and_narrows_with_more_samples() -> None:
    rng = np.random.default_rng(0)
    few, many = (unbiased_error(foretold(rng.random(n).tolist()), 0) for n in (6, WINDOW))
    assert few is not None
    assert few.low is not None
    assert few.high is not None
    assert many is not None
    assert many.low is not None
    assert many.high is not None
    assert few.low < few.error < few.high
    assert many.high - many.low < few.high - few.low


def test_the_interval_holds_the_truth_as_often_as_it_says() -> None:
    held = 0
    for seed in range(60):
        errors = np.random.default_rng(seed).exponential(0.1, WINDOW).tolist()
        found = unbiased_error(foretold(errors), seed)
        assert found is not None
        assert found.low is not None
        assert found.high is not None
        held += found.low <= 0.1 <= found.high
    assert 0.85 <= held / 60 <= 1.0


def test_only_the_last_samples_count() -> None:
    found = unbiased_error(foretold([100.0] * 5 + [0.1] * WINDOW), 0)
    assert found is not None
    assert found.error == pytest.approx(0.1)
    assert found.samples == WINDOW


def test_uncertainty_that_rises_with_the_error_correlates() -> None:
    found = unbiased_error(foretold([0.1, 0.4, 0.2, 0.3]), 0)
    assert found is not None
    assert found.rank_correlation == pytest.approx(1.0)


def test_one_network_has_no_correlation() -> None:
    found = unbiased_error(foretold([0.1, 0.4, 0.2, 0.3], None), 0)
    assert found is not None
    assert found.rank_correlation is None


def test_quantities_count_by_root_mean_square() -> None:
    rows = [Foretold(str(i), 0, {"quantities.q": e}, {}, None) for i, e in enumerate([3.0, 4.0])]
    found = unbiased_error([Foretold(r.sample, 0, r.errors, {"x": 1.0}, None) for r in rows], 0)
    assert found is not None
    assert found.error == pytest.approx(np.sqrt(12.5))


def test_foretelling_a_pool_agrees_with_its_metrics(half_sobol: Campaign) -> None:
    with half_sobol.test_pool(0) as test:
        learner = load(half_sobol.checkpoint(0))
        scales = scales_of(test.quantities)
        found = unbiased_error(
            foretell(learner, test, range(min(WINDOW, len(test))), scales, 0), 0
        )
        assert found is not None
        assert len(test) <= WINDOW
        assert found.error == pytest.approx(evaluate(learner, test).error, rel=1e-9)


def test_each_step_foretells_exactly_its_sobol_share(half_sobol: Campaign) -> None:
    per_step = half_sobol.config.samples_per_step // 2
    assert read_unbiased(half_sobol, 0) == []
    for step in (1, 2, 3):
        rows = read_unbiased(half_sobol, step)
        selection = half_sobol.step_directory(step - 1) / "selection.json"
        picks = json.loads(selection.read_text())
        asked = [pick["sample"]["id"] for pick in picks if pick["asked_by"] == SOBOL]
        assert [row.sample for row in rows] == asked
        assert len(rows) == per_step
        assert {row.step for row in rows} == {step - 1}


def test_what_is_foretold_was_not_learnt_from(half_sobol: Campaign) -> None:
    for step in (1, 2, 3):
        with TrainingPool(half_sobol.shards(before=step - 1)) as learnt:
            assert not set(learnt.ids) & {row.sample for row in read_unbiased(half_sobol, step)}


def test_the_ledger_has_the_estimate(half_sobol: Campaign) -> None:
    entry = half_sobol.ledger.find(3, "metrology")
    assert entry is not None
    estimate = estimate_in(entry)
    assert estimate is not None
    file = half_sobol.step_directory(3) / "unbiased.json"
    assert json.loads(file.read_text())["estimate"] == estimate.to_json()
    assert estimate.samples == 3 * (half_sobol.config.samples_per_step // 2)


def test_a_campaign_without_the_share_has_no_estimate(finished_campaign: Path) -> None:
    campaign = Campaign.open(finished_campaign)
    entry = campaign.ledger.find(0, "metrology")
    assert entry is not None
    assert estimate_in(entry) is None


def test_a_damaged_file_is_made_again(half_sobol: Campaign) -> None:
    before = files_of(half_sobol.directory)
    (half_sobol.step_directory(2) / "unbiased.json").write_text("{")
    with pytest.raises(IntegrityError, match="solverloop check"):
        read_unbiased(half_sobol, 2)
    assert [f.file for f in check(half_sobol) if f.state == "rebuilt"] == [
        "steps/002/unbiased.json"
    ]
    assert files_of(half_sobol.directory) == before


def records(highs: list[float | None]) -> list[StepRecord]:
    return [StepRecord(k, 8, 1.0, 1.0, 9, unbiased_high=h) for k, h in enumerate(highs)]


def test_the_rule_stops_when_the_upper_end_met_the_target() -> None:
    settings = StoppingSettings(target_unbiased_error=0.1, target_steps=2)
    assert not decide(records([None, 0.05]), settings).stop
    assert not decide(records([0.05, 0.2, 0.05]), settings).stop
    decision = decide(records([0.2, 0.09, 0.1]), settings)
    assert decision.decided_by == "unbiased error"
    assert "surely at most 0.1" in decision.reason


def test_the_rule_says_when_it_has_too_few_samples() -> None:
    settings = StoppingSettings(target_unbiased_error=0.1)
    (signal,) = [s for s in decide(records([None]), settings).signals if "unbiased" in s.rule]
    assert not signal.triggered
    assert "kind sobol a larger share" in signal.message
