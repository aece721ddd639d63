"""What every learner promises, walked over every learner that ships."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from field_pools import QUICK, SPACE, pool
from numpy.typing import NDArray

from pools.errors import UsageError
from pools.training import TrainingPool
from surrogates.checkpoint import load, save
from surrogates.ensemble import Network
from surrogates.fit import fit
from surrogates.module_learner import ModuleLearner
from surrogates.prediction import Learner
from surrogates.surrogate import EnsembleSurrogate

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Case:
    """How a learner comes about, and what the pool that it learns from holds."""

    make: Callable[[TrainingPool, Path], Learner]
    fields: bool = True
    quantities: bool = True


def trained(data: TrainingPool, directory: Path) -> Learner:  # noqa: ARG001 - `Case.make`
    return fit(data, SPACE, QUICK, seed=1).surrogate


def fine_tuned(data: TrainingPool, directory: Path) -> Learner:
    rows = data.parameters[:4]
    shown = {"fields": bool(data.schema.fields), "quantities": bool(data.schema.quantities)}
    with pool(directory / "first", rows, **shown) as first:
        previous = fit(first, SPACE, QUICK, seed=1).surrogate
    return fit(data, SPACE, QUICK, seed=2, previous=previous).surrogate


def loaded(data: TrainingPool, directory: Path) -> Learner:
    save(directory / "checkpoint", fit(data, SPACE, QUICK, seed=1).surrogate)
    return load(directory / "checkpoint")


def modules(data: TrainingPool, directory: Path) -> Learner:  # noqa: ARG001 - `Case.make`
    shape = (data.schema.points, len(data.schema.fields))
    with torch.random.fork_rng():
        torch.manual_seed(1)
        committee = [_module(shape) for _ in range(3)]
    return ModuleLearner(SPACE, committee)


def _module(shape: tuple[int, ...]) -> torch.nn.Module:
    last = torch.nn.Linear(8, math.prod(shape))
    layers = (torch.nn.Linear(2, 8), torch.nn.Tanh(), last, torch.nn.Unflatten(1, shape))
    return torch.nn.Sequential(*layers).double()


CASES = {
    "trained": Case(trained),
    "fine-tuned": Case(fine_tuned),
    "loaded": Case(loaded),
    "quantities only": Case(trained, fields=False),
    "quantities only, fine-tuned": Case(fine_tuned, fields=False),
    "fields only": Case(trained, quantities=False),
    "fields only, loaded": Case(loaded, quantities=False),
    "modules of fields": Case(modules, quantities=False),
}


@dataclass(frozen=True)
class Shape:
    p: int
    c: int
    q: int


@dataclass(frozen=True)
class Subject:
    learner: Learner
    shape: Shape


@pytest.fixture(scope="module", params=CASES.values(), ids=list(CASES))
def subject(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Subject:
    case: Case = request.param
    directory = tmp_path_factory.mktemp("learner")
    rows = SPACE.sobol(8, seed=1)
    with pool(directory, rows, fields=case.fields, quantities=case.quantities) as data:
        schema = data.schema
        shape = Shape(schema.points, len(schema.fields), len(schema.quantities))
        return Subject(case.make(data, directory), shape)


@pytest.mark.parametrize("n", [0, 1, 7])
def test_shapes_and_precision(subject: Subject, n: int) -> None:
    points, shape = SPACE.uniform(n, np.random.default_rng(0)), subject.shape
    prediction = subject.learner.predict(points)
    for array in (prediction.quantities.mean, prediction.quantities.std):
        assert array.shape == (n, shape.q)
        assert array.dtype == np.float64
    for array in (prediction.fields.mean, prediction.fields.std):
        assert array.shape == (n, shape.p, shape.c)
        assert array.dtype == np.float64
    assert subject.learner.uncertainty(points).shape == (n,)
    assert subject.learner.uncertainty(points).dtype == np.float64


def test_deviations_are_finite_and_not_negative(subject: Subject) -> None:
    points = SPACE.uniform(20, np.random.default_rng(0))
    prediction = subject.learner.predict(points)
    for estimate in (prediction.quantities, prediction.fields):
        assert np.isfinite(estimate.mean).all()
        assert np.isfinite(estimate.std).all()
        assert (estimate.std >= 0).all()
    assert (subject.learner.uncertainty(points) > 0).all()


def test_the_same_question_has_the_same_answer(subject: Subject) -> None:
    points = SPACE.uniform(5, np.random.default_rng(0))
    first, second = subject.learner.predict(points), subject.learner.predict(points)
    assert np.array_equal(first.fields.mean, second.fields.mean)
    assert np.array_equal(first.quantities.std, second.quantities.std)
    assert np.array_equal(subject.learner.uncertainty(points), subject.learner.uncertainty(points))


def test_a_point_is_answered_alike_alone_and_among_others(subject: Subject) -> None:
    points = SPACE.uniform(9, np.random.default_rng(0))
    together = subject.learner.predict(points)
    for index in (0, 8):
        alone = subject.learner.predict(points[[index]])
        np.testing.assert_allclose(alone.fields.mean[0], together.fields.mean[index], rtol=1e-5)
        np.testing.assert_allclose(
            alone.quantities.mean[0], together.quantities.mean[index], rtol=1e-5, atol=1e-6
        )
    np.testing.assert_allclose(
        subject.learner.uncertainty(points)[3:4],
        subject.learner.uncertainty(points[3:4]),
        rtol=1e-3,
    )


def test_the_callers_points_are_not_changed(subject: Subject) -> None:
    points = SPACE.uniform(3, np.random.default_rng(0))
    kept = points.copy()
    subject.learner.predict(points)
    subject.learner.uncertainty(points)
    assert np.array_equal(points, kept)


@pytest.mark.parametrize("shape", [(2,), (3, 1), (3, 3), (1, 3, 2)])
def test_points_of_another_shape_are_refused(subject: Subject, shape: tuple[int, ...]) -> None:
    for ask in (subject.learner.predict, subject.learner.uncertainty):
        with pytest.raises(UsageError, match="one column for each of speed, angle"):
            ask(np.ones(shape))


def test_answers_do_not_depend_on_the_callers_threads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether another number changes the last digits depends on the machine: see both."""
    points = SPACE.sobol(600, seed=5)
    settings = QUICK.model_copy(update={"width": 64, "depth": 3, "members": 8})
    with pool(tmp_path, SPACE.sobol(16, seed=1)) as data:
        learner = fit(data, SPACE, settings, seed=1).surrogate
    seen, evaluate = [], Network.__call__

    def watched(network: Network, inputs: torch.Tensor) -> torch.Tensor:
        seen.append(torch.get_num_threads())
        return evaluate(network, inputs)

    monkeypatch.setattr(Network, "__call__", watched)
    before = torch.get_num_threads()
    try:
        answers = [answer(learner, points, threads) for threads in (1, 2, 4)]
    finally:
        torch.set_num_threads(before)
    assert set(seen) == {settings.threads}
    for other in answers[1:]:
        for values, expected in zip(other, answers[0], strict=True):
            assert np.array_equal(values, expected)


def answer(learner: EnsembleSurrogate, points: Array, threads: int) -> list[Array]:
    torch.set_num_threads(threads)
    predicted = learner.predict(points)
    uncertainty, members = learner.uncertainty(points), learner.members(points)
    assert torch.get_num_threads() == threads
    fields, quantities = predicted.fields, predicted.quantities
    return [uncertainty, members, fields.mean, fields.std, quantities.mean, quantities.std]


def test_one_member_predicts_but_knows_no_uncertainty(tmp_path: Path) -> None:
    settings = QUICK.model_copy(update={"members": 1})
    points = SPACE.sobol(4, seed=2)
    with pool(tmp_path, SPACE.sobol(8, seed=1)) as data:
        learner = fit(data, SPACE, settings, seed=1).surrogate
    assert not learner.predict(points).fields.std.any()
    assert not learner.predict(points).quantities.std.any()
    with pytest.raises(UsageError, match="set members to 2 or more"):
        learner.uncertainty(points)
