"""The driver: the loop, what strategies see, and the faults that it must not have."""

import json
import logging
import queue
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import torch
from driver_examples import (
    Error,
    Exact,
    Largest,
    config,
    driver,
    learner,
    outcome,
    pairs,
    points,
    resumed,
    step,
    strategies,
    training,
    truth,
)
from torch import nn

from phases.driver import Driver
from phases.driver_log import FILE
from phases.training_config import OptimizerConfig
from pools.errors import CampaignError, TooFewLabelsError, UsageError
from strategies.phase import ActiveLearningPhase
from surrogates.training_loop import DefaultTrainingLoop


def test_a_run_labels_and_trains_on_the_last_labels(tmp_path: Path) -> None:
    done = driver(tmp_path)
    assert done.run() == "3 of 3 steps done"
    assert len(done.training_pool) == 6 + 3 * 3
    assert done.active_learning_step_idx == 3
    assert [record["step"] for record in done.metrology_strategies[0].records] == [0, 1, 2, 3]


def test_calling_it_runs_it(tmp_path: Path) -> None:
    assert driver(tmp_path)() == "3 of 3 steps done"


def test_both_names_of_the_pools(tmp_path: Path) -> None:
    one = Driver(config(tmp_path), learner(), strategies(), training(val_datapool=pairs(3)))
    assert one.training_pool is one.train_datapool
    assert one.validation_pool is one.val_datapool
    assert one.unlabeled_pool is one.unlabeled_datapool
    assert one.device == torch.get_default_device()


def test_a_step_at_a_time(tmp_path: Path) -> None:
    one = driver(tmp_path)
    one.active_learning_step()
    assert (one.active_learning_step_idx, len(one.training_pool)) == (1, 9)
    assert one.current_phase is None


def test_the_same_seed_gives_the_same_run(tmp_path: Path) -> None:
    first, second = driver(tmp_path / "a"), driver(tmp_path / "b")
    first.run()
    torch.rand(100)  # what others draw does not matter
    second.run()
    assert outcome(first) == outcome(second)


def test_a_run_draws_nothing_from_the_generators_of_others(tmp_path: Path) -> None:
    torch.manual_seed(4)
    expected = torch.rand(3)
    torch.manual_seed(4)
    one = driver(tmp_path)
    torch.manual_seed(4)
    one.run()
    torch.testing.assert_close(torch.rand(3), expected)


def test_no_metrology_strategies(tmp_path: Path) -> None:
    one = Driver(config(tmp_path), learner(), strategies(metrology_strategies=None), training())
    assert one.run() == "3 of 3 steps done"
    assert one.metrology_strategies == []


def test_strategies_take_as_many_arguments_as_they_like(tmp_path: Path) -> None:
    seen: list[Any] = []

    class Greedy(Largest):
        def sample(self, query_queue: Any, *args: Any, **kwargs: Any) -> None:
            seen.append((args, kwargs))
            super().sample(query_queue)

    one = Driver(config(tmp_path), learner(), strategies(query_strategies=[Greedy()]), training())
    one.run(None, None, "by place", colour="by name")
    assert seen[0] == (("by place",), {"colour": "by name"})


@pytest.mark.parametrize("queue_cls", [queue.Queue, None])
def test_two_strategies_never_ask_for_the_same(tmp_path: Path, queue_cls: Any) -> None:
    class First(Largest):
        def sample(self, query_queue: Any) -> None:
            for index in range(self.max_samples):
                query_queue.put(points(40, seed=3)[index])  # whatever was asked before

    given = {} if queue_cls is None else {"queue_cls": queue_cls}
    both = strategies(query_strategies=[First(), First()], **given)
    one = Driver(config(tmp_path, max_active_learning_steps=2), learner(), both, training())
    assert one.run().startswith("the query strategies chose nothing")
    assert len(one.training_pool) == 6 + 3


def test_the_unlabeled_pool_loses_what_was_asked_for(tmp_path: Path) -> None:
    one = driver(tmp_path)
    one.run()
    one.hide_asked()
    assert len(one.unlabeled_pool) == 40 - 9
    left = [x.tolist() for x in one.unlabeled_pool]
    assert all(x.tolist() not in left for x, _ in list(one.training_pool)[6:])


def test_strategies_that_choose_nothing_of_what_is_left(tmp_path: Path) -> None:
    idle = Largest()
    idle.max_samples = 0
    one = Driver(config(tmp_path), learner(), strategies(query_strategies=[idle]), training())
    assert one.run().endswith("nothing of the unlabeled pool: although 40 samples are left")


def test_an_exhausted_pool_ends_the_run(tmp_path: Path) -> None:
    few = strategies(unlabeled_datapool=points(5, seed=3))
    one = Driver(config(tmp_path, max_active_learning_steps=None), learner(), few, training())
    assert "exhausted" in one.run()
    assert len(one.training_pool) == 6 + 5


class Refusing(Exact):
    """Labels nothing."""

    def label(self, queue_to_label: Any, serialize_queue: Any) -> None:  # noqa: ARG002
        while not queue_to_label.empty():
            queue_to_label.get()


def test_a_solver_that_always_fails_is_no_success(tmp_path: Path) -> None:
    one = Driver(config(tmp_path), learner(), strategies(label_strategy=Refusing()), training())
    with pytest.raises(TooFewLabelsError, match=r"labelled none of the 3.*load_checkpoint"):
        one.run()


class Breaking(Exact):
    """Raises at its second sample."""

    def label(self, queue_to_label: Any, serialize_queue: Any) -> None:
        while not queue_to_label.empty():
            x = queue_to_label.get()
            if len(self.asked) == 1:
                raise RuntimeError("licence lost")
            self.asked.append(x)
            serialize_queue.put((x, truth(x)))


def test_what_a_broken_labeller_had_labelled_is_kept(tmp_path: Path) -> None:
    undisturbed = driver(tmp_path / "undisturbed")
    undisturbed.run()
    broken = Driver(
        config(tmp_path / "broken"), learner(), strategies(label_strategy=Breaking()), training()
    )
    with pytest.raises(CampaignError, match=r"licence lost.*1 samples labelled before"):
        broken.run()
    exact = Exact()
    again = resumed(broken.log_dir, strategies_config_overrides={"label_strategy": exact})
    again.run()
    assert len(exact.asked) == 8  # nine, and one was labelled before
    assert outcome(again) == outcome(undisturbed)


@pytest.mark.parametrize("phase", ["training", "metrology", "query", "labeling"])
@pytest.mark.parametrize("at", [0, 1, 2])
def test_resumed_at_any_phase_equals_uninterrupted(tmp_path: Path, phase: str, at: int) -> None:
    flags = {
        f"checkpoint_on_{name}": True for name in ("training", "metrology", "query", "labeling")
    }
    undisturbed = driver(tmp_path, **flags)
    undisturbed.run()
    checkpoint = undisturbed.log_dir / "checkpoints" / f"step_{at}" / phase
    again = resumed(checkpoint)
    assert (again.active_learning_step_idx, again.last_checkpoint) == (at, checkpoint)
    again.run()
    assert outcome(again) == outcome(undisturbed)
    assert not again.label_strategy.asked  # every label was there


def test_resumed_in_the_middle_of_training_equals_uninterrupted(tmp_path: Path) -> None:
    kept = {"reset_optim_states": False, "model_checkpoint_frequency": 1}
    undisturbed = driver(tmp_path, **kept)
    undisturbed.run()
    middle = undisturbed.log_dir / "checkpoints" / "step_1" / "training" / "epoch_2"
    again = resumed(middle)
    again.run()
    assert outcome(again) == outcome(undisturbed)


def test_the_optimizer_is_restored(tmp_path: Path) -> None:
    undisturbed = driver(tmp_path, reset_optim_states=False)
    undisturbed.run()
    again = resumed(undisturbed.log_dir / "checkpoints" / "step_1" / "labeling")
    assert again.optimizer is not None
    assert again.optimizer.state
    again.run()
    assert outcome(again) == outcome(undisturbed)


def test_a_pool_that_keeps_itself_is_not_filled_twice(tmp_path: Path) -> None:
    undisturbed = driver(tmp_path)
    undisturbed.run()
    at_step_1 = list(undisturbed.training_pool)[: 6 + 3]
    again = resumed(
        undisturbed.log_dir / "checkpoints" / "step_1" / "labeling", train_datapool=at_step_1
    )
    again.run()
    assert outcome(again) == outcome(undisturbed)


def test_a_pool_of_another_run_is_refused(tmp_path: Path) -> None:
    undisturbed = driver(tmp_path)
    undisturbed.run()
    with pytest.raises(UsageError, match="holds 4 samples, but the run began with 6"):
        resumed(
            undisturbed.log_dir / "checkpoints" / "step_1" / "labeling", train_datapool=pairs(4)
        )


def test_the_newest_checkpoint_is_taken(tmp_path: Path) -> None:
    undisturbed = driver(tmp_path)
    undisturbed.run()
    assert resumed(undisturbed.log_dir).active_learning_step_idx == 2


def test_checkpoints_hold_no_pickle(tmp_path: Path) -> None:
    one = driver(tmp_path, model_checkpoint_frequency=2)
    one.run()
    files = [f for f in one.log_dir.rglob("*") if f.is_file()]
    assert {f.suffix for f in files} <= {
        ".json",
        ".safetensors",
        ".sqlite",
        ".sqlite-wal",
        ".sqlite-shm",
    }
    assert not any(b"\x80\x04\x95" in f.read_bytes() for f in files)


@pytest.mark.parametrize("interval", [0, 2])
def test_checkpoints_are_written_at_their_interval(tmp_path: Path, interval: int) -> None:
    one = driver(tmp_path, checkpoint_interval=interval)
    one.run()
    found = sorted(f.name for f in (one.log_dir / "checkpoints").glob("*"))
    assert found == (["step_0", "step_2"] if interval else [])


def test_a_run_is_not_begun_twice(tmp_path: Path) -> None:
    driver(tmp_path).run()
    with pytest.raises(UsageError, match=r"holds a run; resume it with Driver.load_checkpoint"):
        driver(tmp_path).run()


def test_another_model_is_refused(tmp_path: Path) -> None:
    done = driver(tmp_path)
    done.run()
    with pytest.raises(UsageError, match="do not fit the Linear that is given"):
        resumed(done.log_dir, learner=nn.Linear(2, 1))
    with pytest.raises(UsageError, match="give one, as in Driver"):
        resumed(done.log_dir, learner=None)


def test_a_log_has_step_and_phase_and_goes_on(tmp_path: Path) -> None:
    class Talking(Largest):
        __protocol_name__ = "talking"
        logger: logging.Logger

        def sample(self, query_queue: Any) -> None:
            super().sample(query_queue)
            self.logger.info("I asked")

    one = Driver(config(tmp_path), learner(), strategies(query_strategies=[Talking()]), training())
    one.run()
    records = _log(one)
    said = [r for r in records if r["message"] == "I asked"]
    assert [(r["step"], r["phase"], r["logger"]) for r in said] == [
        (i, "query", "talking") for i in range(3)
    ]
    one.close()
    again = resumed(
        one.log_dir / "checkpoints" / "step_1" / "labeling",
        strategies_config_overrides={"query_strategies": [Talking()]},
    )
    again.run()
    assert _log(again)[: len(records)] == records
    assert len(_log(again)) > len(records)
    assert [r["step"] for r in again.metrology_strategies[0].records] == [0, 1, 2, 3]


def test_two_drivers_do_not_share_a_log(tmp_path: Path) -> None:
    one, other = driver(tmp_path / "a"), driver(tmp_path / "b")
    one.run()
    assert not any("labeling" in str(record) for record in _log(other))
    other.logger.info("of the other")
    assert not any(record["message"] == "of the other" for record in _log(one))


def test_a_learner_with_its_own_steps(tmp_path: Path) -> None:
    class Own(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = nn.Linear(2, 1)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.as_tensor(self.inner(x))

        def training_step(self, batch: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
            return step(self, batch)

        def inference_step(self, x: torch.Tensor) -> torch.Tensor:
            return self(x)

    loop = DefaultTrainingLoop(use_progress_bars=False)
    one = Driver(config(tmp_path), Own(), strategies(), training(train_loop_fn=loop))
    assert one.run() == "3 of 3 steps done"
    assert not hasattr(one.learner, "device")


def test_nobody_says_how_to_train(tmp_path: Path) -> None:
    loop = DefaultTrainingLoop(use_progress_bars=False)
    one = Driver(config(tmp_path), learner(), strategies(), training(train_loop_fn=loop))
    with pytest.raises(UsageError, match="nobody says how to train Sequential: give"):
        one.run()
    assert one.run(train_step_fn=step) == "3 of 3 steps done"


def test_fine_tuning_has_its_own_rate_and_epochs(tmp_path: Path) -> None:
    rates: list[tuple[int, float]] = []

    class Watching(DefaultTrainingLoop):
        def __call__(self, model: Any, optimizer: Any, *args: Any, **kwargs: Any) -> Any:
            rates.append((kwargs["max_epochs"], optimizer.param_groups[0]["lr"]))
            return super().__call__(model, optimizer, *args, **kwargs)

    own = training(train_loop_fn=Watching(step, use_progress_bars=False))
    Driver(config(tmp_path, fine_tuning_lr=0.005), learner(), strategies(), own).run()
    assert rates == [(4, 0.02), (3, 0.005), (3, 0.005), (3, 0.005)]


@pytest.mark.parametrize(
    ("skipped", "phases"),
    [
        ("skip_training", {"metrology", "query", "labeling"}),
        ("skip_metrology", {"training", "query", "labeling"}),
        ("skip_labeling", {"training", "metrology", "query"}),
    ],
)
def test_phases_are_skipped_by_flag(tmp_path: Path, skipped: str, phases: set[str]) -> None:
    seen = []
    one = driver(tmp_path, max_active_learning_steps=1, **{skipped: True})

    def note(phase: ActiveLearningPhase, _step: int, work: Any) -> None:
        seen.append(str(phase))
        work()

    one.run_phase = note
    one.run()
    assert set(seen) == phases


def test_a_training_pool_without_append(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="train_datapool is a tuple and lacks `append`"):
        training(train_datapool=tuple(pairs()))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"query_strategies": []}, "query_strategies is empty"),
        ({"query_strategies": Largest()}, r"give a list, even of one: .*\[Largest\(...\)\]"),
        ({"query_strategies": [Largest]}, r"is the class Largest itself; .* Largest\(\)"),
        ({"label_strategy": Exact}, "label_strategy is the class Exact itself"),
        ({"query_strategies": [Exact()]}, "lacks `sample`, `max_samples`"),
        ({"label_strategy": Error()}, "label_strategy is a Error and lacks `label`"),
        ({"metrology_strategies": [Exact()]}, r"metrology_strategies\[0\] is a Exact"),
        ({"queue_cls": list}, "queue_cls is a list and lacks `put`, `get`, `empty`"),
    ],
)
def test_strategies_that_lack_something(given: Mapping[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        strategies(**given)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"batch_size": 0}, "batch_size is 0; give a whole number of at least 1"),
        ({"max_active_learning_steps": 0}, "max_active_learning_steps is 0"),
        ({"checkpoint_interval": -1}, "checkpoint_interval is -1"),
        ({"fine_tuning_lr": 0.0}, "fine_tuning_lr is 0.0"),
        ({"fine_tuning_lr": 0.1, "skip_training": True}, "leave one of them out"),
        ({"run_id": "a/b"}, "run_id is 'a/b'"),
        ({"collate_fn": 3}, "collate_fn is 3"),
        ({"num_dataloader_workers": -1}, "num_dataloader_workers is -1"),
        ({"seed": "a"}, "seed is 'a'; give a whole number of at least 0"),
        ({"device": "gpu"}, "device is 'gpu'; give one of torch's, such as 'cpu'"),
        ({"dtype": "float32"}, "dtype is 'float32'; give one of torch's, such as torch.float32"),
    ],
)
def test_configurations_that_cannot_be(
    tmp_path: Path, given: Mapping[str, Any], words: str
) -> None:
    with pytest.raises(UsageError, match=words):
        config(tmp_path, **given)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"optimizer_cls": "AdamW"}, "optimizer_cls is 'AdamW'; give a class, such as torch"),
        ({"scheduler_cls": "StepLR"}, "scheduler_cls is 'StepLR'; give a class, such as torch"),
    ],
)
def test_optimizers_and_schedulers_are_classes(given: Mapping[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        OptimizerConfig(**given)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"max_training_epochs": "5"}, "max_training_epochs is '5'; give at least 1"),
        ({"max_fine_tuning_epochs": 0}, "max_fine_tuning_epochs is 0; give at least 1"),
        ({"optimizer_config": torch.optim.AdamW}, "give an OptimizerConfig, which makes a new"),
        ({"optimizer_config": None}, "optimizer_config is None; give an OptimizerConfig"),
    ],
)
def test_trainings_that_cannot_be(given: Mapping[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        training(**given)


@pytest.mark.parametrize("wrong", ["config", "strategies_config", "training_config"])
def test_parts_in_each_others_places(tmp_path: Path, wrong: str) -> None:
    parts: dict[str, Any] = {
        "config": config(tmp_path),
        "strategies_config": strategies(),
        "training_config": training(),
    }
    with pytest.raises(UsageError, match=f"^{wrong} is a list; give a .*: a driver is made as"):
        Driver(learner=learner(), **{**parts, wrong: []})


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_a_gpu_that_is_not_there_is_refused_before_anything_is_trained(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="device is 'cuda', but torch finds no GPU here"):
        Driver(config(tmp_path, device="cuda"), learner(), strategies(), training())


def test_a_run_is_not_resumed_without_its_pool(tmp_path: Path) -> None:
    one = driver(tmp_path)
    one.active_learning_step()
    with pytest.raises(UsageError, match=r"as in Driver.load_checkpoint\(.*train_datapool=pool"):
        Driver.load_checkpoint(one.log_dir, learner())


def test_flags_that_contradict_the_parts(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no label_strategy but skip_labeling is False"):
        Driver(config(tmp_path), learner(), strategies(label_strategy=None), training())
    with pytest.raises(UsageError, match="training_config is None but skip_training is False"):
        Driver(config(tmp_path), learner(), strategies())
    with pytest.raises(UsageError, match="a learner has `parameters`"):
        Driver(config(tmp_path), lambda x: x, strategies(), training())


def _log(one: Driver) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (one.log_dir / FILE).read_text().splitlines()]


class InThreads(Exact):
    """Labels in eight threads, after it has taken all."""

    def label(self, queue_to_label: Any, serialize_queue: Any) -> None:
        taken = []
        while not queue_to_label.empty():
            taken.append(queue_to_label.get())
        with ThreadPoolExecutor(8) as threads:
            list(threads.map(lambda x: serialize_queue.put((x, truth(x))), taken))


def test_labels_of_threads_are_kept_in_the_order_of_the_pool(tmp_path: Path) -> None:
    many = strategies(label_strategy=InThreads(), query_strategies=[Largest(16)])
    one = Driver(config(tmp_path, max_active_learning_steps=2), learner(), many, training())
    one.run()
    kept = [kept.label[0].tolist() for kept in one.journal.labels()]
    assert kept == [x.tolist() for x, _ in list(one.training_pool)[6:]]
    assert len(kept) == 32
    assert all(kept.sample for kept in one.journal.labels())


def test_other_strategies_may_go_on(tmp_path: Path) -> None:
    driver(tmp_path).run()
    fewer = {"query_strategies": [Largest(2), Largest(1)], "metrology_strategies": []}
    again = resumed(
        tmp_path / "run" / "checkpoints" / "step_1" / "labeling", strategies_config_overrides=fewer
    )
    assert again.run() == "3 of 3 steps done"
    assert len(again.training_pool) == 6 + 9


class InOrder:
    """Asks for the first of the points that are left."""

    def __init__(self, max_samples: int) -> None:
        self.max_samples = max_samples

    def attach(self, driver: Driver) -> None:
        self.driver = driver

    def sample(self, query_queue: Any) -> None:
        for point in self.driver.unlabeled_pool[: self.max_samples]:
            query_queue.put(point)


def test_a_rewound_run_takes_over_the_labels_of_later_steps(tmp_path: Path) -> None:
    """Three points a step, and then six: the second step asks for what the third one had."""
    three = strategies(query_strategies=[InOrder(3)])
    Driver(config(tmp_path), learner(), three, training()).run()
    six: dict[str, Any] = {"query_strategies": [InOrder(6)], "label_strategy": Exact()}
    checkpoints = tmp_path / "run" / "checkpoints"
    again = resumed(checkpoints / "step_0" / "labeling", strategies_config_overrides=six)
    again.run()
    order = [x.tolist() for x in points(40, seed=3)]
    assert [x.tolist() for x in six["label_strategy"].asked] == order[9:15]
    assert [x.tolist() for x, _ in again.training_pool][6:] == order[:15]
    refilled = resumed(checkpoints / "step_2" / "labeling", strategies_config_overrides=six)
    assert [x.tolist() for x, _ in refilled.training_pool][6:] == order[:9]
    refilled.run()
    assert outcome(refilled)["pool"] == outcome(again)["pool"]
    assert len(six["label_strategy"].asked) == 6
