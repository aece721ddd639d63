"""Retry by hand, through the plain functions: what is solved, where it goes, what sees it."""

import json
import shutil
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from campaign_examples import ledger_of
from plain_campaigns import files_of, prepare, run, solve, start

from phases.append import append
from phases.asked import initial_picks, queried_picks
from phases.campaign import Campaign
from phases.check import check
from phases.label import conclude_label, label_sample, records_of
from phases.metrology import metrology
from phases.overview import all_records, failures, steps_of
from phases.query import query
from phases.retry import Plan, append_retried, conclude, plan_retry, retries_of
from phases.stopping import history, stopping_decision
from phases.train import train
from phases.vitals import vitals_of
from pools.errors import SolverError, TooFewLabelsError, UsageError
from pools.ledger import Entry
from pools.outcome import Outcome
from pools.record import SampleRecord
from reports.standing import standing
from solvers.label import ByHand
from solvers.workers import SolverWorkers

FAILING: dict[str, Any] = {
    "solver": {"kind": "analytic", "problem": "wave", "fails_above": 0.55},
    "query": [{"kind": "sobol"}],  # spread out, so that some of each step fail
    "label": {"min_success_fraction": 0.1, "timeout_seconds": 60},
}
MENDED = ByHand({"fails_above": 2.0})
HALF = ByHand({"fails_above": 0.8})


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run a campaign of two steps, in which many samples fail; to be copied."""
    directory = tmp_path_factory.mktemp("failing") / "wave"
    run(start(directory, **FAILING))
    return directory


@pytest.fixture
def campaign(stopped: Path, tmp_path: Path) -> Campaign:
    """Return a copy of the finished campaign to do anything to."""
    return Campaign.open(Path(shutil.copytree(stopped, tmp_path / "wave")))


def with_a_solved_step(directory: Path) -> Campaign:
    """Return a campaign whose step 0 has solved what it asked for, and not concluded it."""
    campaign = start(directory, **FAILING)
    prepare(campaign)
    train(campaign, 0)
    metrology(campaign, 0)
    query(campaign, 0)
    solve(campaign, 0, queried_picks(campaign, 0))
    return campaign


def go_on(campaign: Campaign, steps: int) -> Campaign:
    """Go on with a finished campaign until so many steps are done."""
    longer = start(campaign.directory, **FAILING, stopping={"max_steps": steps})
    append_retried(longer)  # as the flow does
    run(longer)
    return longer


def solve_again(campaign: Campaign, plan: Plan) -> None:
    with SolverWorkers(campaign.config.solver, 1) as workers:
        for record in plan.records:
            try:
                label_sample(
                    campaign,
                    record.step,
                    record.pick,
                    workers,
                    retry_failed=True,
                    by_hand=plan.by_hand,
                )
            except SolverError:
                continue


def retry(campaign: Campaign, ids: Sequence[str] = (), by_hand: ByHand = MENDED) -> Entry | None:
    """Do what the flow does."""
    plan = plan_retry(campaign, ids, (), by_hand)
    solve_again(campaign, plan)
    return append_retried(campaign, plan.records)


def ids_of(records: Sequence[SampleRecord]) -> list[str]:
    return [record.pick.sample.id for record in records]


def test_the_numbers_seen_from_outside_follow_each_retry(campaign: Campaign) -> None:
    for by_hand in (HALF, MENDED):
        retry(campaign, by_hand=by_hand)
        vitals, records = vitals_of(campaign.directory), all_records(campaign)
        stands = standing(campaign)
        assert vitals.outcomes == Counter(record.outcome for record in records)
        assert vitals.attempts == sum(len(record.attempts) for record in records)
        assert vitals.solver_seconds == pytest.approx(stands.solver_seconds, abs=0.01)
        assert vitals.labelled == {"pool": stands.labelled, "test": stands.tested}


def test_totals(campaign: Campaign) -> None:
    """Solved + failed + pending = asked for, before and after."""
    for by_hand in (None, HALF, MENDED):
        if by_hand:
            retry(campaign, by_hand=by_hand)
        counts = Counter(r.outcome for r in all_records(campaign))
        assert counts.total() == 6 + 8 + 4 + 4
        assert len(failures(campaign)) == counts.total() - counts[Outcome.OK]
        stands = standing(campaign)
        assert stands.labelled + stands.tested == counts[Outcome.OK]
        assert len(stands.failures) == len(failures(campaign))
        for step in steps_of(campaign)[:2]:
            assert sum(step.outcomes.values()) == step.asked == 4
    assert failures(campaign) == []
    assert [step.step for step in steps_of(campaign)] == [0, 1, 2]


def test_what_succeeds_is_a_shard_of_its_own_and_the_next_step_trains_on_it(
    campaign: Campaign,
) -> None:
    failed = failures(campaign)
    before = files_of(campaign.directory)
    entry = retry(campaign)
    assert entry is not None
    assert (entry.step, entry.phase) == (3, "retry-001")
    learnt = [r for r in failed if r.pick.asked_by != "test set"]
    tested = [r for r in failed if r.pick.asked_by == "test set"]
    assert learnt
    assert tested
    assert entry.summary["appended"] == {
        "pool/retry-001.h5": len(learnt),
        "test/retry-001.h5": len(tested),
    }
    unchanged = {name for name, content in files_of(campaign.directory).items()} & set(before)
    touched = {n for n in unchanged if before[n] != (campaign.directory / n).read_bytes()}
    samples = {f"samples/{name}/sample.json" for name in ids_of(failed)}
    assert touched == {"ledger.jsonl", *samples}
    sizes = {}
    for step in (2, 3):
        with campaign.training_pool(step) as pool, campaign.test_pool(step) as test:
            sizes[step] = (len(pool), len(test))
            if step == 3:
                assert pool.ids[-len(learnt) :] == ids_of(learnt)
                assert test.ids[-len(tested) :] == ids_of(tested)
    assert sizes[3] == (sizes[2][0] + len(learnt), sizes[2][1] + len(tested))
    longer = go_on(campaign, 3)
    labelled = [step.labelled for step in steps_of(longer)]
    solved = sum(r.outcome is Outcome.OK for r in records_of(longer, queried_picks(longer, 2)))
    assert labelled[3] == sizes[3][0] + solved
    assert json.loads((longer.step_directory(3) / "metrics.json").read_text())["samples"] == 8


def test_the_ledger_says_what_was_done(campaign: Campaign) -> None:
    failed = failures(campaign)
    entry = retry(campaign, by_hand=HALF)
    assert entry is not None
    now = {r.pick.sample.id: r for r in all_records(campaign)}
    told = entry.summary
    assert told["asked"] == len(failed)
    assert told["samples"] == {name: now[name].outcome for name in ids_of(failed)}
    assert told["solved"] == told["outcomes"]["ok"] > 0
    assert told["outcomes"]["diverged"] == len(failures(campaign)) > 0
    assert told["changes"] == {name: {"fails_above": 0.8} for name in ids_of(failed)}
    assert told["attempts"] + told["test"]["attempts"] == len(failed)
    seconds = sum(now[name].attempts[-1].cost.wall_seconds for name in ids_of(failed))
    assert told["solver_seconds"] + told["test"]["solver_seconds"] == pytest.approx(
        seconds, abs=0.01
    )
    assert ledger_of(campaign.directory)[-1]["seed"] == entry.seed


def test_old_attempts_stay_as_evidence(campaign: Campaign) -> None:
    record = failures(campaign)[0]
    retry(campaign, [record.pick.sample.id])
    now = campaign.sample_directory(record.pick.sample.id).read()
    assert now is not None
    assert now.attempts[: len(record.attempts)] == record.attempts
    assert (now.attempts[-1].rung, now.attempts[-1].changes) == ("by hand", MENDED.changes)
    assert now.pick == record.pick


def test_exactly_those_that_are_meant(campaign: Campaign) -> None:
    first, *others = failures(campaign)
    entry = retry(campaign, [first.pick.sample.id[:6]])
    assert entry is not None
    assert entry.summary["asked"] == 1
    assert failures(campaign) == others


def test_a_second_retry_is_a_second_shard(campaign: Campaign) -> None:
    retry(campaign, by_hand=HALF)
    left = failures(campaign)
    retry(campaign)
    assert [entry.phase for entry in retries_of(campaign)] == ["retry-001", "retry-002"]
    assert {name for e in retries_of(campaign) for name in e.summary["appended"]} >= {
        "pool/retry-001.h5",
        "pool/retry-002.h5",
    }
    assert set(retries_of(campaign)[1].summary["samples"]) == set(ids_of(left))
    with campaign.training_pool(3) as pool:
        assert len(set(pool.ids)) == len(pool.ids) == 6 + 4 + 4


def test_what_fails_again_is_counted_and_appends_nothing(campaign: Campaign) -> None:
    plan = plan_retry(campaign)
    shards = campaign.shards()
    entry = retry(campaign, by_hand=ByHand())
    assert entry is not None
    assert entry.summary["appended"] == {}
    assert entry.summary["attempts"] > 0
    assert campaign.shards() == shards
    with pytest.raises(TooFewLabelsError, match=rf"^0 of {len(plan.records)} solved: .* diverged"):
        conclude(campaign, plan)


def test_with_nothing_to_do_nothing_is_written(campaign: Campaign) -> None:
    retry(campaign)
    before = files_of(campaign.directory)
    plan = plan_retry(campaign)
    assert plan.records == []
    assert append_retried(campaign) is None
    assert conclude(campaign, plan).startswith("nothing to retry")
    assert files_of(campaign.directory) == before


def test_what_a_killed_retry_solved_is_appended_once(campaign: Campaign, tmp_path: Path) -> None:
    """By the next retry, or by the campaign when it goes on; the shard is the same."""
    whole = Campaign.open(Path(shutil.copytree(campaign.directory, tmp_path / "whole")))
    retry(whole)
    plan = plan_retry(campaign, (), (), MENDED)
    solve_again(campaign, Plan(plan.records[::2], MENDED))  # and it is killed here
    going = Campaign.open(Path(shutil.copytree(campaign.directory, tmp_path / "going")))
    retry(campaign)
    for name in ("pool/retry-001.h5", "test/retry-001.h5"):
        theirs = (whole.directory / name).read_bytes()
        assert (campaign.directory / name).read_bytes() == theirs
    found = append_retried(going)
    assert found is not None
    assert set(found.summary["samples"]) == set(ids_of(plan.records[::2]))
    assert append_retried(going) is None
    retry(going)
    with going.training_pool(3) as pool:
        assert len(set(pool.ids)) == len(pool.ids) == 14


def test_an_attempt_that_nobody_recorded_is_found(campaign: Campaign) -> None:
    """Killed between the solver's end and the record: the answer is there, and counts."""
    record = failures(campaign)[0]
    place = campaign.sample_directory(record.pick.sample.id)
    plan = plan_retry(campaign, [record.pick.sample.id], (), MENDED)
    solve_again(campaign, plan)
    (place.path / "solution.vtkhdf").rename(place.path / "attempt-02" / "solution.vtkhdf")
    place.write(record)
    entry = append_retried(campaign)
    assert entry is not None
    assert entry.summary["samples"] == {record.pick.sample.id: "ok"}


def test_a_step_that_is_not_finished_appends_what_was_solved_itself(tmp_path: Path) -> None:
    campaign = with_a_solved_step(tmp_path / "wave")
    mine = [r.pick.sample.id for r in failures(campaign) if r.pick.asked_by == "sobol"]
    assert mine
    assert retry(campaign, mine) is None
    entry = conclude_label(campaign, 0)
    assert entry.summary["solved"] == 4
    append(campaign, 0)
    with campaign.training_pool(1) as pool:
        assert set(mine) <= set(pool.ids)
    assert append_retried(campaign) is None


def test_between_label_and_append_a_solved_sample_is_the_retrys(tmp_path: Path) -> None:
    campaign = with_a_solved_step(tmp_path / "wave")
    counted = conclude_label(campaign, 0)
    mine = [r.pick.sample.id for r in failures(campaign) if r.pick.asked_by == "sobol"]
    retry(campaign, mine)
    assert append(campaign, 0).summary["samples"] == {
        "pool/step-000.h5": counted.summary["solved"]
    }
    with campaign.training_pool(1) as pool:
        assert len(set(pool.ids)) == len(pool.ids)
        assert set(mine) <= set(pool.ids)


def test_before_the_first_training_step_zero_sees_it(tmp_path: Path) -> None:
    campaign = start(tmp_path / "wave", **FAILING)
    prepare(campaign)
    entry = retry(campaign)
    assert entry is not None
    assert entry.step == 0
    assert train(campaign, 0).summary["labelled"] == len(initial_picks(campaign))
    with campaign.test_pool(0) as test:
        assert len(test) == 8


def test_check_makes_every_shard_again(campaign: Campaign) -> None:
    retry(campaign, by_hand=HALF)
    longer = go_on(campaign, 3)
    retry(longer)
    before = files_of(campaign.directory)
    for folder in ("pool", "test"):
        shutil.rmtree(campaign.directory / folder)
    for step in range(4):
        (longer.step_directory(step) / "metrics.json").unlink()
    (longer.step_directory(2) / "selection.json").unlink()
    findings = [finding for finding in check(longer) if finding.state != "intact"]
    assert {finding.state for finding in findings} == {"rebuilt"}
    assert {"pool/retry-001.h5", "pool/retry-002.h5", "test/retry-001.h5"} <= {
        finding.file for finding in findings
    }
    assert files_of(campaign.directory) == before


def test_the_way_out_of_a_lost_solution_of_a_retry_works(campaign: Campaign) -> None:
    entry = retry(campaign)
    assert entry is not None
    before = files_of(campaign.directory)
    name = next(name for name in entry.artifacts if name.startswith("samples/"))
    (campaign.directory / name).unlink()
    (finding,) = [finding for finding in check(campaign) if finding.state != "intact"]
    sample = name.split("/")[1]
    line = len(ledger_of(campaign.directory))
    assert f"cut ledger.jsonl before line {line} (retry-001 of step 3)" in finding.remark
    assert f"`solverloop retry DIR {sample}`" in finding.remark
    ledger = campaign.directory / "ledger.jsonl"
    ledger.write_bytes(b"".join(ledger.read_bytes().splitlines(keepends=True)[: line - 1]))
    retry(campaign, [sample])
    for shard in ("pool/retry-001.h5", "test/retry-001.h5"):
        assert (campaign.directory / shard).read_bytes() == before[shard]


def test_budgets_count_a_retrys_seconds(campaign: Campaign) -> None:
    spent = history(campaign, 2)[-1].solver_seconds
    retry(campaign)
    last = history(campaign, 2)[-1]
    assert last.solver_seconds == spent
    assert last.unused_solver_seconds == retries_of(campaign)[0].summary["solver_seconds"]
    budget = {"max_steps": 9, "budget_solver_seconds": spent + last.unused_solver_seconds / 2}
    tight = start(campaign.directory, **FAILING, stopping=budget)
    assert stopping_decision(tight, 2).decided_by == "budget of solver seconds"
    longer = go_on(campaign, 3)
    steps = history(longer, 3)
    labels = [e.summary["solver_seconds"] for e in longer.ledger.entries() if e.phase == "label"]
    assert steps[3].solver_seconds == pytest.approx(spent + last.unused_solver_seconds + labels[2])
    assert steps[3].unused_solver_seconds == 0


def test_earlier_metrics_are_measured_on_the_earlier_test_set(campaign: Campaign) -> None:
    file = campaign.step_directory(2) / "metrics.json"
    before = file.read_bytes()
    retry(campaign)
    file.unlink()
    assert {f.state for f in check(campaign)} == {"intact", "rebuilt"}
    assert file.read_bytes() == before


@pytest.mark.parametrize(
    ("ids", "outcomes", "message"),
    [
        (
            ["nonsense"],
            [],
            r"no sample that was tried begins with 'nonsense'; failed samples are ",
        ),
        ([""], [], r"no sample that was tried begins with ''"),
        (["../../etc"], [], r"no sample that was tried begins with '\.\./\.\./etc'"),
        ([], [Outcome.OK], "outcome ok is no failure; choose among diverged, not_converged"),
    ],
)
def test_what_is_meant_must_be_there(
    campaign: Campaign, ids: list[str], outcomes: list[Outcome], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        plan_retry(campaign, ids, outcomes)


def test_a_sample_that_did_not_fail_is_refused(campaign: Campaign) -> None:
    good = next(r for r in all_records(campaign) if r.outcome is Outcome.OK)
    with pytest.raises(
        UsageError, match=r"did not fail: .* \(ok\); failed samples are .*diverged"
    ):
        plan_retry(campaign, [good.pick.sample.id])


def test_a_beginning_that_several_have_is_refused(campaign: Campaign) -> None:
    firsts = Counter(name[0] for name in ids_of(failures(campaign)))
    (letter, count), *_ = firsts.most_common()
    assert count > 1
    with pytest.raises(UsageError, match=rf"'{letter}' stands for {count} failed samples"):
        plan_retry(campaign, [letter])


def test_outcomes_choose(campaign: Campaign) -> None:
    assert plan_retry(campaign, (), [Outcome.TIMEOUT]).records == []
    assert plan_retry(campaign, (), [Outcome.DIVERGED]).records == failures(campaign)


def test_a_sample_that_is_solved_meanwhile_is_left_out(campaign: Campaign) -> None:
    """The same command again, after it was killed at its very end, is no mistake."""
    names = ids_of(failures(campaign))
    retry(campaign, names[:1])
    assert ids_of(plan_retry(campaign, names[:2]).records) == names[1:2]


@pytest.mark.parametrize(
    ("by_hand", "message"),
    [
        (ByHand({"fails_abov": 1.0}), "fails_abov"),
        (ByHand({"fails_above": "high"}), "fails_above"),
        (ByHand({}, 0.0), "the timeout is 0 s; give a number of seconds above 0"),
        (ByHand({}, float("nan")), "the timeout is nan s"),
    ],
)
def test_what_is_changed_is_checked_before_a_solver_starts(
    campaign: Campaign, by_hand: ByHand, message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        plan_retry(campaign, (), (), by_hand)
