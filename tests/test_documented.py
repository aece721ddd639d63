"""The documented API: every name that its page gives is here, and its classes run as printed."""

import copy
import importlib
import json
import runpy
import sys
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from documented_examples import (
    CFDSolverLabelStrategy,
    DummyLabelStrategy,
    SolverLabelStrategy,
    UncertaintyQueryStrategy,
)
from driver_examples import config
from torch import Tensor, nn
from torch.utils.data import Dataset, Subset

from phases.driver import Driver
from phases.driver_log import FILE
from phases.strategies_config import StrategiesConfig
from phases.training_config import TrainingConfig
from pools.errors import CampaignError
from strategies.protocols import AbstractQueue, LabelStrategy, MetrologyStrategy, QueryStrategy
from surrogates.training_loop import DefaultTrainingLoop

PROTOCOLS = "strategies.protocols"
STRATEGY = ("__protocol_name__", "_args", "attach", "is_attached", "logger", "_setup_logger")
PLACES = ("checkpoint_dir", "strategy_dir")
DRIVER = (
    *("learner", "query_queue", "label_queue", "query_strategies", "label_strategy"),
    *("metrology_strategies", "unlabeled_pool", "training_pool", "validation_pool"),
    *("active_learning_step", "attach_strategies", "active_learning_step_idx", "current_phase"),
)
MEMBERS: dict[tuple[str, str], tuple[str, ...]] = {
    (PROTOCOLS, "ActiveLearningProtocol"): (*STRATEGY, *PLACES),
    (PROTOCOLS, "QueryStrategy"): (*STRATEGY, *PLACES, "max_samples", "sample", "__call__"),
    (PROTOCOLS, "LabelStrategy"): (
        *(*STRATEGY, *PLACES, "label", "__call__"),
        *("__is_external_process__", "__provides_fields__"),
    ),
    (PROTOCOLS, "MetrologyStrategy"): (
        *(*STRATEGY, *PLACES, "compute", "records", "append", "serialize_records"),
        *("load_records", "reset", "__call__", "__len__"),
    ),
    (PROTOCOLS, "TrainingProtocol"): ("__call__",),
    (PROTOCOLS, "ValidationProtocol"): ("__call__",),
    (PROTOCOLS, "InferenceProtocol"): ("__call__",),
    (PROTOCOLS, "TrainingLoop"): ("__call__",),
    (PROTOCOLS, "AbstractQueue"): ("put", "get", "empty"),
    (PROTOCOLS, "DataPool"): ("__len__", "__getitem__", "append"),
    (PROTOCOLS, "LearnerProtocol"): (
        *("training_step", "validation_step", "inference_step", "parameters", "forward"),
    ),
    (PROTOCOLS, "ActiveLearningPhase"): ("TRAINING", "METROLOGY", "QUERY", "LABELING"),
    (PROTOCOLS, "DriverProtocol"): (*DRIVER, "log_dir", "run_id"),
    ("phases.driver", "Driver"): (
        *("run", "__call__", "active_learning_step", "attach_strategies", "barrier"),
        *("save_checkpoint", "load_checkpoint", "unlabeled_pool", "validation_pool", "logger"),
    ),
    ("phases.driver_config", "DriverConfig"): (
        *("batch_size", "max_active_learning_steps", "run_id", "fine_tuning_lr", "dist_manager"),
        *("reset_optim_states", "skip_training", "skip_metrology", "skip_labeling"),
        *("checkpoint_interval", "checkpoint_on_training", "checkpoint_on_metrology"),
        *("checkpoint_on_query", "checkpoint_on_labeling", "model_checkpoint_frequency"),
        *("root_log_dir", "collate_fn", "num_dataloader_workers", "device", "dtype"),
        *("to_json", "from_json"),
    ),
    ("phases.strategies_config", "StrategiesConfig"): (
        *("query_strategies", "label_strategy", "metrology_strategies", "queue_cls"),
        *("unlabeled_datapool", "to_dict", "from_dict"),
    ),
    ("phases.training_config", "TrainingConfig"): (
        *("train_datapool", "val_datapool", "max_training_epochs", "max_fine_tuning_epochs"),
        *("optimizer_config", "train_loop_fn", "to_dict", "from_dict"),
    ),
    ("phases.training_config", "OptimizerConfig"): (
        *("optimizer_cls", "optimizer_kwargs", "scheduler_cls", "scheduler_kwargs"),
    ),
    ("examples.moons", "MostUncertain"): ("sample",),
    ("examples.moons", "PassThrough"): ("label",),
    ("examples.moons", "F1"): ("compute",),
    ("surrogates.training_loop", "DefaultTrainingLoop"): ("__call__",),
}
"""Module and name here, and its members: all that the page names, and what goes with them."""

NAMES = [(module, name, member) for (module, name), ms in MEMBERS.items() for member in ms]


@pytest.mark.parametrize(("module", "name", "member"), NAMES)
def test_a_documented_name_is_here(module: str, name: str, member: str) -> None:
    kind = getattr(importlib.import_module(module), name)
    stated = {each for parent in kind.__mro__ for each in getattr(parent, "__annotations__", {})}
    declared = {field.name for field in fields(kind)} if is_dataclass(kind) else set()
    assert hasattr(kind, member) or member in stated | declared


@pytest.mark.parametrize("member", DRIVER)
def test_a_driver_has_what_its_protocol_states(tmp_path: Path, member: str) -> None:
    assert hasattr(classifying(tmp_path), member)


def test_the_log_has_its_documented_name() -> None:
    assert FILE == "driver_log.json"


# -- two classes, as printed ---------------------------------------------------------------------


class Labelling(Dataset[tuple[Tensor, Tensor]]):
    """Points with their class, which `append` knows: 1 above the diagonal."""

    def __init__(self, points: Tensor) -> None:
        self.items = [self._labelled(x) for x in points]

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        return self.items[index]

    def append(self, x: Tensor) -> None:
        self.items.append(self._labelled(x))

    @staticmethod
    def _labelled(x: Tensor) -> tuple[Tensor, Tensor]:
        return x, (x[1] > x[0]).long()


def uniform(n: int, seed: int) -> Tensor:
    """Return n points of the unit square, shape (n, 2)."""
    return torch.rand(n, 2, generator=torch.Generator().manual_seed(seed))


def classify(model: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
    """Return the loss of a batch of points."""
    return nn.functional.cross_entropy(model(batch[0]), batch[1])


def classifier() -> nn.Module:
    """Return a classifier, always the same."""
    torch.manual_seed(0)
    return nn.Linear(2, 2)


def classifying(tmp_path: Path, unlabeled: Any = None, **given: Any) -> Driver:
    """Return a driver of the page's first two classes; `given` are fields of its config."""
    chosen = StrategiesConfig(
        query_strategies=[UncertaintyQueryStrategy(max_samples=5, batch_size=8)],
        label_strategy=DummyLabelStrategy(),
        unlabeled_datapool=uniform(60, 3) if unlabeled is None else unlabeled,
    )
    loop = DefaultTrainingLoop(classify, use_progress_bars=False)
    trained = TrainingConfig(Labelling(uniform(8, 7)), 20, train_loop_fn=loop)
    return Driver(config(tmp_path, **given), classifier(), chosen, trained)


def margin(model: nn.Module, x: Tensor) -> Tensor:
    """Return how far points are from the learner's border."""
    logits = model(x)  # (n, 2)
    return (logits[:, 1] - logits[:, 0]).abs()


def asks_for_the_most_uncertain(one: Driver) -> bool:
    """Say whether a step asks for the points nearest to the border."""
    one.hide_asked()
    everyone = torch.stack(list(one.unlabeled_pool))
    one.active_learning_step()
    nearest = margin(one.learner, everyone).argsort()[:5].tolist()
    asked = {tuple(x.tolist()) for x, _ in list(one.training_pool.items)[-5:]}
    return asked == {tuple(everyone[i].tolist()) for i in nearest}


def test_the_printed_query_and_dummy_label_strategies(tmp_path: Path) -> None:
    one = classifying(tmp_path)
    assert all(asks_for_the_most_uncertain(one) for _ in range(3))
    assert len(one.training_pool) == 8 + 3 * 5
    assert "Queried 5 samples for labeling" in messages(one)


def test_the_printed_strategies_resume(tmp_path: Path) -> None:
    whole, cut = classifying(tmp_path / "whole"), classifying(tmp_path / "cut")
    whole.run()
    cut.active_learning_step()
    cut.active_learning_step()
    again = taken_up(cut.log_dir)
    assert isinstance(again.query_strategies[0], UncertaintyQueryStrategy)
    again.run()
    assert [x.tolist() for x, _ in again.training_pool.items] == [
        x.tolist() for x, _ in whole.training_pool.items
    ]
    torch.testing.assert_close(again.learner.weight, whole.learner.weight, rtol=0, atol=0)


def test_a_subset_as_the_unlabeled_pool(tmp_path: Path) -> None:
    pool: Any = list(uniform(100, 3))
    one = classifying(tmp_path, Subset(pool, range(20, 80)))
    assert all(asks_for_the_most_uncertain(one) for _ in range(3))


def test_the_unlabeled_pool_can_be_copied(tmp_path: Path) -> None:
    one = classifying(tmp_path)
    one.active_learning_step()
    one.hide_asked()
    assert len(copy.copy(one.unlabeled_pool)) == 55


class Left:
    """Notes how many samples nobody has asked for."""

    def __init__(self) -> None:
        self.records: list[int] = []

    def attach(self, driver: Driver) -> None:
        self.driver = driver

    def compute(self) -> None:
        self.records.append(len(self.driver.unlabeled_pool))


def counting(tmp_path: Path) -> Driver:
    """Return a driver whose metrology looks at the unlabeled pool."""
    one = classifying(tmp_path)
    chosen = replace(one.strategies_config, metrology_strategies=[Left()])
    return Driver(one.config, classifier(), chosen, one.training_config)


def test_every_phase_sees_what_is_left(tmp_path: Path) -> None:
    one = counting(tmp_path)
    one.run()
    assert one.metrology_strategies[0].records == [60, 55, 50, 45]


class Backwards(UncertaintyQueryStrategy):
    """Asks for the last."""

    def sample(self, query_queue: AbstractQueue[Any]) -> None:
        for place in range(self.max_samples):
            query_queue.put(self.driver.unlabeled_pool[-1 - place])


def taken_up(directory: Path, **given: Any) -> Driver:
    """Return a driver of new objects that goes on from a checkpoint."""
    loop = DefaultTrainingLoop(classify, use_progress_bars=False)
    return Driver.load_checkpoint(
        directory,
        classifier(),
        train_datapool=Labelling(uniform(8, 7)),
        unlabeled_datapool=uniform(60, 3),
        training_config_overrides={"train_loop_fn": loop},
        **given,
    )


def test_a_run_that_was_rewound_goes_on_in_its_new_course(tmp_path: Path) -> None:
    one = classifying(tmp_path, max_active_learning_steps=5)
    one.run()
    other = {"query_strategies": [Backwards(max_samples=5)]}
    early = one.log_dir / "checkpoints" / "step_1" / "labeling"
    rewound = taken_up(early, strategies_config_overrides=other)
    rewound.active_learning_step()
    rewound.active_learning_step()  # and is killed here
    chosen = [x.tolist() for x, _ in rewound.training_pool.items]
    again = taken_up(one.log_dir, strategies_config_overrides=other)
    assert again.active_learning_step_idx == 2
    again.active_learning_step()
    assert [x.tolist() for x, _ in again.training_pool.items] == chosen


# -- solvers, as printed -------------------------------------------------------------------------

CFD = """
parser.add_argument("--input"), parser.add_argument("--output")
given = parser.parse_args()
sample = json.load(open(given.input))
if sample["inlet"] > 0.9:
    sys.exit(f"diverged at inlet {sample['inlet']}")
answer = {"pressure": sample["inlet"] ** 2, "velocity": 2 * sample["inlet"]}
json.dump(answer, open(given.output, "w"))
"""
MESHED = """
parser.add_argument("--input"), parser.add_argument("--output")
parser.add_argument("--mesh-size", choices=["fine"], required=True)
parser.add_argument("--convergence-tol", type=float, required=True)
given = parser.parse_args()
case = json.load(open(given.input))
open(Path(__file__).parent / "calls", "a").write(f"{case['geometry']['angle']}\\n")
if case["geometry"]["angle"] > 2.5 and not (Path(__file__).parent / "mended").exists():
    sys.exit("no convergence")
speed = case["flow_conditions"]["speed"]
json.dump({"p": speed ** 2, "U": 2 * speed}, open(given.output, "w"))
"""


def executable(tmp_path: Path, body: str) -> str:
    """Write a solver and return its path."""
    file = tmp_path / "solver"
    head = (
        f"#!{sys.executable}\nimport argparse, json, sys\nfrom pathlib import Path\n"
        "parser = argparse.ArgumentParser()\n"
    )
    file.write_text(head + body)
    file.chmod(0o755)
    return str(file)


class InOrder:
    """Asks for the first that are left."""

    max_samples = 3

    def attach(self, driver: Driver) -> None:
        self.driver = driver

    def sample(self, query_queue: AbstractQueue[Any]) -> None:
        for place in range(min(self.max_samples, len(self.driver.unlabeled_pool))):
            query_queue.put(self.driver.unlabeled_pool[place])


class FromSpeed(nn.Module):
    """Predicts pressure and velocity of one number."""

    def __init__(self) -> None:
        super().__init__()
        self.line = nn.Linear(1, 2)

    def forward(self, x: Tensor) -> Tensor:
        predicted: Tensor = self.line(x.unsqueeze(-1))
        return predicted

    def training_step(self, batch: dict[str, Any]) -> Tensor:
        x = batch["inlet"] if "inlet" in batch else batch["boundary_conditions"]["speed"]
        y = torch.stack([batch["pressure"], batch["velocity"]], dim=-1)  # (b, 2)
        return nn.functional.mse_loss(self(x), y)


def solving(tmp_path: Path, label_strategy: Any, candidates: list[Any], solved: Any) -> Driver:
    """Return a driver of one step around a solver."""
    chosen = StrategiesConfig(
        [InOrder()], label_strategy=label_strategy, unlabeled_datapool=candidates
    )
    loop = DefaultTrainingLoop(use_progress_bars=False)
    trained = TrainingConfig([solved], 2, train_loop_fn=loop)
    return Driver(config(tmp_path, max_active_learning_steps=1), FromSpeed(), chosen, trained)


def messages(one: Driver, level: str = "") -> list[str]:
    """Return what a driver logged."""
    lines = (one.log_dir / FILE).read_text().splitlines()
    records = [json.loads(line) for line in lines]
    return [each["message"] for each in records if level in ("", each["level"])]


def test_the_printed_cfd_strategy_goes_on_behind_a_failure(tmp_path: Path) -> None:
    candidates = [{"inlet": x} for x in (0.1, 0.95, 0.3)]
    label = CFDSolverLabelStrategy(executable(tmp_path, CFD), tmp_path / "solves", timeout=60)
    first = {"inlet": 0.5, "pressure": 0.25, "velocity": 1.0}
    one = solving(tmp_path, label, candidates, first)
    assert one.run() == "1 of 1 steps done"
    assert one.training_pool == [
        first,
        {"inlet": 0.1, "pressure": 0.1**2, "velocity": 0.2},
        {"inlet": 0.3, "pressure": 0.3**2, "velocity": 0.6},
    ]
    assert one.failed == [{"inlet": 0.95}]
    assert any("diverged at inlet 0.95" in line for line in messages(one, "ERROR"))
    assert "no label for {'inlet': 0.95}" in messages(one, "WARNING")


def case(angle: float) -> dict[str, Any]:
    """Return a sample of the page's last class."""
    return {"geometry_params": {"angle": angle}, "boundary_conditions": {"speed": 2 * angle}}


def test_the_printed_solver_strategy_keeps_what_it_had_when_it_raises(tmp_path: Path) -> None:
    solver = executable(tmp_path, MESHED)
    first = {**case(0.5), "pressure": 1.0, "velocity": 2.0}
    label = SolverLabelStrategy(solver, tmp_path / "solves")
    one = solving(tmp_path, label, [case(1.0), case(2.0), case(3.0)], first)
    with pytest.raises(CampaignError) as caught:
        one.run()
    assert "RuntimeError: Solver execution failed" in str(caught.value)
    assert "2 samples labelled before" in str(caught.value)
    assert "those are kept" in str(caught.value)
    assert "Solver failed: no convergence\n" in messages(one, "ERROR")

    (tmp_path / "mended").touch()
    again = Driver.load_checkpoint(
        one.log_dir,
        FromSpeed(),
        train_datapool=[first],
        unlabeled_datapool=[case(1.0), case(2.0), case(3.0)],
    )
    again.run()
    assert (tmp_path / "calls").read_text().split() == ["1.0", "2.0", "3.0", "3.0"]
    assert [each["pressure"] for each in again.training_pool] == [1.0, 4.0, 16.0, 36.0]


# -- written for physicsnemo.active_learning 2.x: indices travel -------------------------------


class Board(Dataset[tuple[Tensor, Tensor]]):
    """All points of a run; those whose indices it holds are to be learnt from."""

    def __init__(self) -> None:
        self.points = uniform(80, 4)
        self.classes = (self.points[:, 1] > self.points[:, 0]).long()
        self.chosen = list(range(6))

    def __len__(self) -> int:
        return len(self.chosen)

    def __getitem__(self, place: int) -> tuple[Tensor, Tensor]:
        index = self.chosen[place]
        return self.points[index], self.classes[index]

    def append(self, index: int) -> None:
        self.chosen.append(index)

    def others(self) -> list[int]:
        return [i for i in range(len(self.points)) if i not in self.chosen]


class NearestToTheBorder(QueryStrategy):
    def __init__(self, max_samples: int) -> None:
        super().__init__()
        self.max_samples = max_samples
        self.driver: Any = None

    @property
    def is_attached(self) -> bool:
        return self.driver is not None

    def attach(self, other: object) -> None:
        self.driver = other

    def sample(self, query_queue: AbstractQueue[int], *args: Any, **kwargs: Any) -> None:  # noqa: ARG002
        if not self.is_attached:
            raise RuntimeError("not attached")
        pool = self.driver.train_datapool
        others = pool.others()
        with torch.no_grad():
            far = margin(self.driver.learner, pool.points[others].to(self.driver.device))
        for place in far.argsort()[: self.max_samples].tolist():
            query_queue.put(others[place])
        self.logger.info("asked for %d", self.max_samples)


class Release(LabelStrategy):
    __is_external_process__ = False
    __provides_fields__ = None

    def __init__(self) -> None:
        super().__init__()
        self.driver: Any = None

    @property
    def is_attached(self) -> bool:
        return self.driver is not None

    def attach(self, other: object) -> None:
        self.driver = other

    def label(
        self,
        queue_to_label: AbstractQueue[int],
        serialize_queue: AbstractQueue[int],
        *args: Any,  # noqa: ARG002
        **kwargs: Any,  # noqa: ARG002
    ) -> None:
        while not queue_to_label.empty():
            serialize_queue.put(queue_to_label.get())


class Accuracy(MetrologyStrategy):
    def __init__(self) -> None:
        super().__init__()
        self.records = []
        self.driver: Any = None

    @property
    def is_attached(self) -> bool:
        return self.driver is not None

    def attach(self, other: object) -> None:
        self.driver = other

    def compute(self, *args: Any, **kwargs: Any) -> None:  # noqa: ARG002
        pool = self.driver.train_datapool
        self.driver.learner.eval()
        with torch.no_grad():
            right = self.driver.learner(pool.points).argmax(dim=-1) == pool.classes
        step = self.driver.active_learning_step_idx
        self.append({"step": step, "n": len(pool), "accuracy": right.float().mean().item()})
        self.logger.info("accuracy %.2f", self.records[-1]["accuracy"])

    def serialize_records(self, path: Path | None = None, *args: Any, **kwargs: Any) -> None:  # noqa: ARG002
        if path is None:
            path = self.strategy_dir / f"step_{self.driver.active_learning_step_idx}"
            path.mkdir(parents=True, exist_ok=True)
            path = path / "accuracy.json"
        path.write_text(json.dumps(self.records))

    def load_records(self, path: Path | None = None, *args: Any, **kwargs: Any) -> None:  # noqa: ARG002
        assert path is not None
        self.records = json.loads(path.read_text())


def on_a_board(tmp_path: Path) -> Driver:
    """Return a driver of the strategies above."""
    chosen = StrategiesConfig(
        query_strategies=[NearestToTheBorder(max_samples=4)],
        label_strategy=Release(),
        metrology_strategies=[Accuracy()],
    )
    return Driver(config(tmp_path), classifier(), chosen, TrainingConfig(Board(), 10))


def test_strategies_written_for_the_documented_package(tmp_path: Path) -> None:
    one = on_a_board(tmp_path)
    one.run(classify)
    metrology = one.metrology_strategies[0]
    assert [record["n"] for record in metrology.records] == [6, 10, 14, 18]
    assert len(set(one.training_pool.chosen)) == 18
    assert metrology.strategy_dir == one.log_dir / "metrology" / "Accuracy"
    assert metrology.checkpoint_dir == one.log_dir / "checkpoints" / "step_3"
    for step in range(4):
        written = metrology.strategy_dir / f"step_{step}" / "accuracy.json"
        assert len(json.loads(written.read_text())) == step + 1
    again = Accuracy()
    again.load_records(metrology.strategy_dir / "step_3" / "accuracy.json")
    assert again.records == metrology.records
    assert "asked for 4" in messages(one)


def test_they_resume(tmp_path: Path) -> None:
    whole, cut = on_a_board(tmp_path / "whole"), on_a_board(tmp_path / "cut")
    whole.run(classify)
    for _ in range(2):
        cut.active_learning_step(classify)
    again = Driver.load_checkpoint(cut.log_dir, classifier(), train_datapool=Board())
    assert [type(each) for each in again.strategies_config.all] == [
        *(NearestToTheBorder, Release, Accuracy)
    ]
    again.run(classify)
    assert again.training_pool.chosen == whole.training_pool.chosen
    assert again.metrology_strategies[0].records == whole.metrology_strategies[0].records
    torch.testing.assert_close(again.learner.weight, whole.learner.weight, rtol=0, atol=0)


# -- the documentation ---------------------------------------------------------------------------

PAGE = Path(__file__).parents[1] / "docs" / "active-learning-api.md"


def test_the_example_of_the_documentation_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code = PAGE.read_text().partition("```python\n")[2].partition("```")[0]
    (tmp_path / "border.py").write_text(code)
    monkeypatch.chdir(tmp_path)
    runpy.run_path("border.py", run_name="__main__")
    assert capsys.readouterr().out == "5 of 5 steps done with 60 labels\n"


def test_the_documentation_lists_every_class() -> None:
    table = PAGE.read_text().partition("## Documented names")[2]
    assert [name for _, name in MEMBERS if f"{name}`" not in table] == []
