"""The phases as plain functions on one small campaign: no flows, no server."""

import json
from pathlib import Path

import numpy as np
import pytest
from campaign_examples import ledger_of, outcome_of
from plain_campaigns import files_of, prepare, run, solve, start

from phases.asked import initial_picks, queried_picks
from phases.asked import test_picks as held_out_picks
from phases.campaign import Campaign
from phases.design import design
from phases.label import (
    conclude_design_label,
    conclude_label,
    design_to_solve,
    records_of,
    solved,
    step_to_solve,
)
from phases.overview import failures, steps_of
from phases.predict import predict, trained_step
from phases.query import query
from phases.stopping import stopping_decision
from phases.train import train
from pools.errors import CampaignError, IntegrityError, TooFewLabelsError, UsageError
from pools.outcome import Outcome
from pools.training import TrainingPool
from pools.vtkhdf import read_solution

FAILING = {
    "solver": {"kind": "analytic", "problem": "wave", "fails_above": 0.55},
    "label": {"min_success_fraction": 0.25, "timeout_seconds": 60},
}


@pytest.fixture(scope="module")
def finished(finished_campaign: Path) -> Campaign:
    return Campaign.open(finished_campaign)


def test_the_ledger_has_a_line_per_phase_in_order(finished: Campaign) -> None:
    lines = ledger_of(finished.directory)
    loop = ("train", "metrology", "query", "label", "append")
    assert [(line["step"], line["phase"]) for line in lines] == [
        *((0, phase) for phase in ("design", "label_design", "append_design")),
        *((step, phase) for step in (0, 1) for phase in loop),
        *((2, phase) for phase in ("train", "metrology")),  # no label is left unused
    ]
    assert all(line["finished_at"] and line["seconds"] >= 0 for line in lines)


def test_the_ledger_names_every_file_that_counts(finished: Campaign) -> None:
    finished.verify()
    recorded = {name for line in ledger_of(finished.directory) for name in line["artifacts"]}
    derived = ("stopping.json", "campaign.yaml", "ledger.jsonl", "sample.json", ".lock")
    made = {name for name in files_of(finished.directory) if not name.endswith(derived)}
    assert recorded == {name for name in made if "attempt-" not in name}


def test_the_test_set_shares_nothing_with_the_design(finished: Campaign) -> None:
    initial = {pick.sample.id for pick in initial_picks(finished)}
    held_out = {pick.sample.id for pick in held_out_picks(finished)}
    queried = {pick.sample.id for step in (0, 1) for pick in queried_picks(finished, step)}
    assert (len(initial), len(held_out), len(queried)) == (6, 8, 8)
    assert not (initial & held_out) | (initial & queried) | (held_out & queried)


def test_a_pick_says_who_asked_and_why(finished: Campaign) -> None:
    asked = [pick for pick in queried_picks(finished, 1) if pick.asked_by == "hybrid"]
    assert asked
    for pick in asked:
        assert pick.score is not None
        assert pick.score > 0
        assert "times the pool's mean, rank" in pick.reason
        assert "farthest of the largest cluster" in pick.reason
    assert {pick.asked_by for pick in initial_picks(finished)} == {"initial design"}


def test_a_sample_remembers_who_asked(finished: Campaign) -> None:
    picks = queried_picks(finished, 1)
    records = records_of(finished, picks)
    assert [record.pick for record in records] == picks
    assert {record.step for record in records} == {1}
    assert all(len(record.attempts) == 1 for record in records)


def test_a_shard_holds_the_samples_solutions(finished: Campaign) -> None:
    picks = queried_picks(finished, 1)
    with TrainingPool([finished.directory / "pool" / "step-001.h5"]) as pool:
        assert pool.ids == [pick.sample.id for pick in picks]
        for index, pick in enumerate(picks):
            solution = read_solution(finished.sample_directory(pick.sample.id).solution)
            np.testing.assert_array_equal(
                pool.parameters[index], list(pick.sample.parameters.values())
            )
            np.testing.assert_array_equal(
                pool.quantities[index], [q.value for q in solution.quantities.values()]
            )
            np.testing.assert_array_equal(
                pool.read([index]).fields[0], solution.stacked_fields().astype(np.float32)
            )


def test_the_pool_grows_and_a_step_trains_on_what_was_there(finished: Campaign) -> None:
    labelled = [step.labelled for step in steps_of(finished)]
    assert labelled == [6, 10, 14]
    for step, count in enumerate(labelled):
        with finished.training_pool(step) as pool:
            assert len(pool) == count
    with finished.test_pool(2) as test:
        assert len(test) == 8


def test_stopping_says_what_every_rule_said(finished: Campaign) -> None:
    file = finished.step_directory(2) / "stopping.json"
    content = json.loads(file.read_text())
    assert content["decided_by"] == "max steps"
    assert content["reason"].startswith("max steps: 2 of 2 steps done")
    rules = {signal["rule"]: signal for signal in content["signals"]}
    assert not rules["target error"]["triggered"]
    first = json.loads((finished.step_directory(0) / "stopping.json").read_text())
    assert not first["stop"]


def test_running_again_changes_no_byte(campaign_copy: Path) -> None:
    before = files_of(campaign_copy)
    assert run(Campaign.open(campaign_copy)).startswith("max steps")
    assert files_of(campaign_copy) == before


def test_a_changed_rule_is_asked_anew(campaign_copy: Path) -> None:
    campaign = start(campaign_copy, stopping={"max_steps": 9, "target_error": 1e6})
    decision = stopping_decision(campaign, 2)
    assert (decision.stop, decision.decided_by) == (True, "target error")


def test_the_same_seed_gives_the_same_bytes(finished: Campaign, tmp_path: Path) -> None:
    again = start(tmp_path / "again", stopping={"max_steps": 1})
    run(again)
    theirs, ours = outcome_of(finished.directory), outcome_of(again.directory)
    assert set(ours["samples"]) < set(theirs["samples"])
    for kind in ("pool", "metrics"):
        assert ours[kind] == {name: theirs[kind][name] for name in ours[kind]}


def test_another_seed_does_not(finished: Campaign, tmp_path: Path) -> None:
    other = start(tmp_path / "other", seed=4)
    prepare(other)
    theirs, ours = outcome_of(finished.directory), outcome_of(other.directory)
    assert not set(theirs["samples"]) & set(ours["samples"])
    assert theirs["pool"]["initial.h5"] != ours["pool"]["initial.h5"]


@pytest.fixture(scope="module")
def failing(tmp_path_factory: pytest.TempPathFactory) -> Campaign:
    """Return a campaign that was prepared although a region of its space has no solution."""
    campaign = start(tmp_path_factory.mktemp("failing") / "wave", **FAILING)
    prepare(campaign)
    return campaign


def test_a_failing_region_is_counted_and_the_rest_goes_on(failing: Campaign) -> None:
    entry = failing.ledger.find(0, "label_design")
    assert entry is not None
    outcomes = entry.summary["outcomes"]
    assert outcomes == {"diverged": 6 - outcomes["ok"], "ok": entry.summary["solved"]}
    assert 0 < outcomes["ok"] < 6
    with failing.training_pool(0) as pool:
        assert len(pool) == outcomes["ok"]
        assert (pool.parameters[:, 0] <= 0.55).all()


def test_a_failed_sample_keeps_its_evidence(failing: Campaign) -> None:
    failed = [
        r for r in records_of(failing, initial_picks(failing)) if r.outcome is not Outcome.OK
    ]
    for record in failed:
        (attempt,) = record.attempts
        directory = failing.sample_directory(record.pick.sample.id).path / attempt.directory
        assert attempt.outcome is Outcome.DIVERGED
        assert "told to diverge" in attempt.reason
        assert "told to diverge" in (directory / "solver.log").read_text()
        assert attempt.log_tail
    assert {record.pick.sample.id for record in failed} <= {
        record.pick.sample.id for record in failures(failing)
    }


def test_a_failed_sample_is_tried_again_only_when_told(tmp_path: Path) -> None:
    campaign = start(tmp_path / "wave", **FAILING)
    design(campaign)
    picks = [p for p in initial_picks(campaign) if p.sample.parameters["length"] > 0.55][:1]

    def attempts() -> int:
        return sum(len(record.attempts) for record in records_of(campaign, picks))

    for retry_failed, expected in ((False, 1), (False, 1), (True, 2)):
        failed = solve(campaign, 0, picks, retry_failed=retry_failed)
        assert failed[picks[0].sample.id].outcome is Outcome.DIVERGED
        assert attempts() == expected


def test_too_few_labels_stop_the_step_with_a_message(tmp_path: Path) -> None:
    strict = {**FAILING, "label": {"min_success_fraction": 1.0}}
    campaign = start(tmp_path / "wave", **strict)
    design(campaign)
    picks = design_to_solve(campaign)
    solve(campaign, 0, picks[:6])
    count = len(solved(records_of(campaign, picks)))
    with pytest.raises(TooFewLabelsError) as caught:
        conclude_design_label(campaign)
    assert str(caught.value).startswith(
        f"only {count} of 6 samples of the initial design were solved ({6 - count} diverged), "
        "fewer than label.min_success_fraction = 1 asks for"
    )
    assert "solverloop retry" in str(caught.value)
    assert campaign.ledger.find(0, "label_design") is None
    assert design_to_solve(campaign) == picks  # the phase is not finished


def test_a_lower_fraction_goes_on_with_what_there_is(tmp_path: Path) -> None:
    strict = {**FAILING, "label": {"min_success_fraction": 1.0}}
    campaign = start(tmp_path / "wave", **strict)
    design(campaign)
    solve(campaign, 0, design_to_solve(campaign))
    before = files_of(campaign.directory / "samples")
    relaxed = start(tmp_path / "wave", **FAILING)
    assert conclude_design_label(relaxed).summary["asked"] == 6
    assert files_of(campaign.directory / "samples") == before
    assert design_to_solve(relaxed) == []


def test_no_sample_at_all_is_never_enough(campaign_copy: Path) -> None:
    campaign = start(campaign_copy, label={"min_success_fraction": 0}, stopping={"max_steps": 3})
    query(campaign, 2)
    assert len(step_to_solve(campaign, 2)) == 4
    with pytest.raises(TooFewLabelsError, match="only 0 of 4 samples of step 2 were solved"):
        conclude_label(campaign, 2)


def test_the_last_surrogate_predicts_unless_told(finished: Campaign) -> None:
    assert trained_step(finished, None) == 2
    assert trained_step(finished, 1) == 1
    with pytest.raises(UsageError, match="step 7 has no surrogate; trained are steps 0 to 2"):
        trained_step(finished, 7)
    prediction = predict(finished, 2, {"length": 0.5, "phase": 0.5}).prediction
    assert prediction.quantities.mean.shape == (1, 1)
    assert prediction.fields.std.shape == (1, 25, 1)


def test_a_checkpoint_that_is_not_the_recorded_one_does_not_predict(campaign_copy: Path) -> None:
    campaign = Campaign.open(campaign_copy)
    for file in ("manifest.json", "surrogate.safetensors"):  # whole, but of another step
        content = (campaign.checkpoint(1) / file).read_bytes()
        (campaign.checkpoint(2) / file).write_bytes(content)
    with pytest.raises(IntegrityError, match=r"differs from what.*solverloop check"):
        predict(campaign, 2, {"length": 0.5, "phase": 0.5})


@pytest.mark.parametrize("damage", [b"", b"[1, 2", b"[{}]", b'[{"sample": 3}]', b"\xff\x00"])
def test_a_damaged_list_of_picks_is_named(campaign_copy: Path, damage: bytes) -> None:
    file = campaign_copy / "steps" / "001" / "selection.json"
    file.write_bytes(damage)
    with pytest.raises(IntegrityError, match=r"selection\.json, which lists.*solverloop check"):
        queried_picks(Campaign.open(campaign_copy), 1)


def test_training_without_a_pool_is_explained(tmp_path: Path) -> None:
    with pytest.raises(CampaignError, match="a pool needs a shard; label the initial design"):
        train(start(tmp_path / "wave"), 0)
