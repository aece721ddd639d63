"""A campaign as a driver: the loop without Prefect, and what strategies see of it."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from driver_examples import driver as own_driver
from plain_campaigns import QUICK, files_of, start

from phases.campaign_driver import CampaignDriver
from phases.campaign_phases import PlainWork
from phases.config import parse
from phases.query import query
from phases.scope import scope
from phases.train import train
from pools.errors import UsageError
from pools.sample import Sample
from pools.solution import Solution
from strategies.phase import ActiveLearningPhase
from strategies.protocols import DriverProtocol

SEEN = sorted(
    {*DriverProtocol.__annotations__, *vars(DriverProtocol)}
    - {name for name in vars(DriverProtocol) if name.startswith("_")}
    - {"_abc_impl"}
)
"""All that a strategy may ask of what it is attached to."""


@pytest.fixture
def begun(tmp_path: Path) -> CampaignDriver:
    """Return a driver whose design is labelled, which has trained and chosen, but not labelled."""
    campaign = start(tmp_path / "wave")
    PlainWork().prepare(campaign)
    train(campaign, 0)
    query(campaign, 0)
    return CampaignDriver(campaign)


@pytest.mark.parametrize("name", SEEN)
def test_every_driver_has_what_strategies_may_ask_for(
    begun: CampaignDriver, tmp_path: Path, name: str
) -> None:
    with scope(begun.campaign, 0, "query") as seen:
        for driver in (begun, seen, own_driver(tmp_path / "own")):
            getattr(driver, name)


def test_the_protocol_names_what_the_page_documents() -> None:
    assert {"learner", "query_queue", "label_queue", "training_pool", "log_dir"} <= set(SEEN)


def test_a_run_by_steps_equals_a_run_at_once(finished_campaign: Path, tmp_path: Path) -> None:
    driver = CampaignDriver.start(parse(QUICK, "test"), tmp_path / "wave")
    while not driver.stopped:
        driver.active_learning_step()
    assert _lasting(tmp_path / "wave") == _lasting(finished_campaign)


def test_a_driver_goes_on_from_any_place_in_a_campaign(begun: CampaignDriver) -> None:
    for place in (begun.log_dir, begun.campaign.checkpoint(0), begun.save_checkpoint()):
        found = CampaignDriver.load_checkpoint(place)
        assert found.campaign.key == begun.campaign.key


def test_what_is_no_campaign_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is not a campaign's directory"):
        CampaignDriver.load_checkpoint(tmp_path)


def test_a_call_is_a_run(campaign_copy: Path) -> None:
    driver = CampaignDriver.load_checkpoint(campaign_copy)
    assert driver() == driver.stopped != ""


def test_the_phase_is_the_first_that_is_not_done(begun: CampaignDriver) -> None:
    assert begun.active_learning_step_idx == 0
    assert begun.current_phase is ActiveLearningPhase.METROLOGY  # it was left out
    begun.active_learning_step()
    assert begun.active_learning_step_idx == 1
    assert begun.current_phase is ActiveLearningPhase.TRAINING


def test_the_query_queue_holds_what_is_chosen_until_it_is_labelled(
    begun: CampaignDriver,
) -> None:
    first, queue = begun.query_queue.get(), begun.query_queue
    assert not queue.empty()
    solution = begun.label_strategy.label_one(first.sample)
    assert isinstance(solution, Solution)
    other = CampaignDriver(begun.campaign)
    assert other.label_queue.get() == first
    assert other.query_queue.get() != first
    begun.active_learning_step()
    assert CampaignDriver(begun.campaign).label_queue.empty()


def test_the_label_strategy_takes_what_is_on_the_queue(begun: CampaignDriver) -> None:
    class Labelled(list[Solution]):
        put = list.append

    labels: Any = Labelled()
    begun.label_strategy.label(begun.query_queue, labels)
    assert len(labels) == begun.config.samples_per_step
    assert CampaignDriver(begun.campaign).query_queue.empty()


def test_a_queue_is_not_filled_from_outside(begun: CampaignDriver) -> None:
    with pytest.raises(UsageError, match="its query strategies choose"):
        begun.query_queue.put(1)


def test_an_empty_queue_says_so(campaign_copy: Path) -> None:
    driver = CampaignDriver.load_checkpoint(campaign_copy)
    assert driver.query_queue.empty()
    with pytest.raises(UsageError, match="queue is empty"):
        driver.query_queue.get()


def test_a_sample_that_nobody_chose_is_not_labelled(begun: CampaignDriver) -> None:
    stranger = Sample.of(dict.fromkeys(begun.space.names, 0.5), begun.campaign.fingerprint)
    with pytest.raises(UsageError, match="none of the"):
        begun.label_strategy.label_one(stranger)


def test_attached_strategies_choose_what_the_phase_chose(begun: CampaignDriver) -> None:
    class Channel(list[Any]):
        put = list.append

    begun.attach_strategies()
    assert all(strategy.is_attached for strategy in begun.query_strategies)
    chosen: Any = Channel()
    begun.query_strategies[0].sample(chosen)
    assert len(chosen) == begun.query_strategies[0].max_samples


def test_metrology_remembers_all_steps(finished_campaign: Path) -> None:
    driver = CampaignDriver.load_checkpoint(finished_campaign)
    (strategy,) = driver.metrology_strategies
    assert [record["step"] for record in strategy.records] == [0, 1, 2]


def test_before_a_training_there_is_no_learner(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="trained no surrogate yet"):
        _ = CampaignDriver(start(tmp_path / "wave")).learner


def test_a_strategy_takes_no_step_of_its_own(begun: CampaignDriver) -> None:
    with (
        scope(begun.campaign, 0, "query") as seen,
        pytest.raises(UsageError, match="another step in the query phase"),
    ):
        seen.active_learning_step()


def test_failed_samples_keep_their_evidence_in_a_plain_run(tmp_path: Path) -> None:
    solver = {"kind": "analytic", "problem": "wave", "fails_above": 0.55}
    campaign = start(
        tmp_path / "wave",
        solver=solver,
        query=[{"kind": "sobol"}],
        label={"min_success_fraction": 0.1, "workers": 2},
        stopping={"max_steps": 1},
    )
    CampaignDriver(campaign).run()
    driver = CampaignDriver(campaign)
    summary = campaign.ledger.find(0, "label_design").summary  # type: ignore[union-attr]
    assert summary["solved"] < summary["asked"]
    assert driver.query_queue.empty()  # who failed is acknowledged too


def test_a_killed_label_phase_leaves_the_rest_on_the_queue(begun: CampaignDriver) -> None:
    first, second = begun.query_queue.get(), begun.query_queue.get()
    begun.label_strategy.label_one(first.sample)
    place = begun.campaign.sample_directory(second.sample.id).path
    begun.label_strategy.label_one(second.sample)
    shutil.rmtree(place)  # as if it had been killed before
    again = CampaignDriver(begun.campaign)
    assert again.query_queue.get() == second
    assert begun.config.samples_per_step - 1 == 1 + _count(again)


def _count(driver: CampaignDriver) -> int:
    count = 0
    while not driver.query_queue.empty():
        driver.query_queue.get()
        count += 1
    return count


def _lasting(directory: Path) -> dict[str, bytes]:
    """Return what does not depend on the time of day."""
    files = files_of(directory)
    return {
        name: content
        for name, content in files.items()
        if name.startswith(("pool/", "test/", "steps/"))
    }
