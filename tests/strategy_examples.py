"""A closed-form learner and a driver at rest, for the tests of strategies."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pools.candidates import CandidatePool, DesignSequence
from pools.domain import Domain
from pools.outcomes import Outcomes
from pools.parameter import Parameter
from pools.sample import Sample
from pools.shard import write_shard
from pools.solution import Field, Mesh, Quantity, Solution
from pools.space import ParameterSpace
from pools.training import TrainingPool
from strategies.foretold import Foretold
from surrogates.prediction import Estimate, FeatureKind, Prediction

Array = NDArray[np.float64]

SPACE = ParameterSpace({"x": Parameter(low=0, high=1), "y": Parameter(low=1, high=10)})
SOLVER = "closed form"
LOGGER = logging.getLogger("solverloop.test")
DESIGN = DesignSequence(Domain(SPACE), seed=5, used=4, solver=SOLVER)


@dataclass(frozen=True)
class ClosedFormLearner:
    """Predicts u = s (x + i y) at mesh point i and drag = s x y, with constant spread."""

    scale: float = 1.0
    std: float = 0.1
    variance: Callable[[Array], Array] = lambda rows: rows[:, 0] + 0.1

    def predict(self, parameters: Array) -> Prediction:
        x, y = parameters[:, :1], parameters[:, 1:]
        fields = self.scale * (x + np.arange(3) * y)[:, :, np.newaxis]  # (n, 3, 1)
        quantities = self.scale * x * y  # (n, 1)
        return Prediction(
            Estimate(quantities, np.full_like(quantities, self.std)),
            Estimate(fields, np.full_like(fields, self.std)),
        )

    def uncertainty(self, parameters: Array) -> Array:
        return self.variance(parameters)


@dataclass(frozen=True)
class FeaturedExample(ClosedFormLearner):
    """Shows features, the parameters or what is made of them, and three members' outputs."""

    of: Callable[[Array], Array] = lambda rows: rows
    outputs: Callable[[Array], Array] = lambda rows: np.stack([rows, rows**2, 1 - rows])

    def features(self, parameters: Array, kind: FeatureKind = "gradients") -> NDArray[np.float32]:
        del kind
        return np.asarray(self.of(parameters), np.float32)

    def members(self, parameters: Array) -> Array:
        return self.outputs(parameters)


def two_classes(rows: Array) -> Array:
    """Return three members' probabilities of two classes, told apart by the first parameter."""
    first = 1 / (1 + np.exp(-np.array([[2.0], [5.0], [9.0]]) * (rows[:, 0] - 0.5)))  # (3, n)
    return np.stack([first, 1 - first], axis=-1)


@dataclass(frozen=True)
class ClassifierExample(FeaturedExample):
    """Tells two classes apart."""

    classes: Callable[[Array], Array] = two_classes

    def class_probabilities(self, parameters: Array) -> Array:
        return self.classes(parameters)


def point_mesh(weights: Sequence[float] = (0.5, 0.25, 0.25)) -> Mesh:
    """Return a mesh of loose points with these weights."""
    p = len(weights)
    return Mesh(
        points=np.column_stack([np.arange(p), np.zeros(p), np.zeros(p)]).astype(float),
        connectivity=np.arange(p),
        offsets=np.arange(p + 1),
        types=np.ones(p, dtype=np.uint8),
        weights=np.array(weights),
    )


def truth(row: Sequence[float]) -> Solution:
    """Return what `ClosedFormLearner()` predicts exactly."""
    x, y = row
    return Solution(
        sample=Sample.of({"x": x, "y": y}, SOLVER),
        mesh=point_mesh(),
        fields={"u": Field(x + np.arange(3.0) * y, "m/s")},
        quantities={"drag": Quantity(x * y, "N")},
    )


def pool_of(path: Path, solutions: Sequence[Solution]) -> TrainingPool:
    """Write and open a pool of these solutions."""
    write_shard(path, solutions, SPACE.names)
    return TrainingPool([path])


@dataclass(frozen=True)
class ExampleDriver:
    """Satisfies `CampaignScope`."""

    training_pool: TrainingPool
    test_pool: TrainingPool | None
    unlabeled_pool: CandidatePool
    learner: ClosedFormLearner = ClassifierExample()
    outcomes: Outcomes = field(default_factory=lambda: Outcomes.of([], SPACE.d))
    space: ParameterSpace = SPACE
    design: DesignSequence = DESIGN
    foretold: Sequence[Foretold] = ()
    budget_left: float = 0.0
    residual: Callable[[Array], Array] = lambda rows: rows[:, 0]
    rng: np.random.Generator = field(default_factory=lambda: np.random.default_rng(0))
    active_learning_step_idx: int = 3
    current_phase: str = "query"
    log_dir: Path = Path("steps/003")
    run_id: str = "example"
    logger: logging.Logger = LOGGER


def driver_with(directory: Path, n: int = 20) -> ExampleDriver:
    """Return a driver whose `n` candidates include its 4 labelled and its 3 test samples."""
    rows = SPACE.sobol(n, seed=1)
    return ExampleDriver(
        training_pool=pool_of(directory / "pool.h5", [truth(row.tolist()) for row in rows[2:6]]),
        test_pool=pool_of(directory / "test.h5", [truth(row.tolist()) for row in rows[7:10]]),
        unlabeled_pool=CandidatePool(rows, SPACE.names, SOLVER),
    )
