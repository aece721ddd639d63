from pathlib import Path

import numpy as np
import pytest
import torch
from field_pools import QUICK, SPACE, grid, pool, solution
from numpy.typing import NDArray

from pools.errors import UsageError
from pools.shard import write_shard
from pools.space import Parameter, ParameterSpace
from pools.training import TrainingPool
from surrogates.fit import fit, reexpress
from surrogates.outputs import Outputs
from surrogates.pod import fit_pod
from surrogates.settings import EnsembleSettings, Schedule
from surrogates.surrogate import EnsembleSurrogate

Array = NDArray[np.float64]

POINTS = SPACE.sobol(16, seed=99)
GOOD = EnsembleSettings(initial=Schedule(kind="cosine", start=2e-3, end=1e-6, length=1500))


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> TrainingPool:
    return pool(tmp_path_factory.mktemp("small"), SPACE.sobol(8, seed=1))


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory, small: TrainingPool) -> TrainingPool:
    rows = np.concatenate([small.parameters, SPACE.sobol(8, seed=1, skip=8)])
    return pool(tmp_path_factory.mktemp("grown"), rows)


@pytest.fixture(scope="module")
def learner(small: TrainingPool) -> EnsembleSurrogate:
    return fit(small, SPACE, QUICK, seed=3).surrogate


def outputs_of(data: TrainingPool, modes: int = 24) -> Outputs:
    return Outputs.of(torch.from_numpy(data.quantities), fit_pod(data, modes, 1.0))


def same(a: EnsembleSurrogate, b: EnsembleSurrogate) -> bool:
    return bool(np.array_equal(a.members(POINTS), b.members(POINTS)))


def test_a_trained_surrogate_predicts_held_out_fields_and_quantities(tmp_path: Path) -> None:
    """With 32 samples of 2 parameters the error is below 3 % of the pool's deviation."""
    rows, unseen = SPACE.sobol(32, seed=1), SPACE.sobol(16, seed=7)
    with pool(tmp_path, rows) as data:
        learner = fit(data, SPACE, GOOD, seed=0).surrogate
        fields = np.concatenate([b.fields for b in data.blocks()])
    answers = [solution(row, grid()) for row in unseen]
    truth = np.stack([a.stacked_fields() for a in answers])
    prediction = learner.predict(unseen)
    for channel in range(2):
        error = np.abs(prediction.fields.mean - truth)[..., channel]
        assert error.std() < 0.03 * fields[..., channel].std()
    lift = np.array([a.quantities["lift"].value for a in answers])
    assert np.sqrt(np.mean((prediction.quantities.mean[:, 0] - lift) ** 2)) < 0.03 * lift.std()


def test_constant_outputs_are_predicted_exactly_without_uncertainty(
    learner: EnsembleSurrogate,
) -> None:
    prediction = learner.predict(POINTS)
    assert (prediction.fields.mean[..., 2] == 7.25).all()
    assert not prediction.fields.std[..., 2].any()
    np.testing.assert_allclose(prediction.quantities.mean[:, 2], 0.1, rtol=1e-15)
    assert not prediction.quantities.std[:, 2].any()
    assert not learner.members(POINTS)[:, :, 2].any()


def test_uncertainty_equals_that_of_the_fields_once_formed(
    learner: EnsembleSurrogate, small: TrainingPool
) -> None:
    fields = np.concatenate([b.fields for b in small.blocks()]).astype(float)
    weights = np.concatenate([b.weights for b in small.blocks()]).astype(float).mean(0)
    weights /= weights.sum()
    prediction = learner.predict(POINTS)
    of_fields = np.einsum("p,npc->nc", weights, prediction.fields.std**2)[:, :2]
    of_fields /= (weights @ fields.var(axis=0))[:2]
    of_quantities = (prediction.quantities.std**2 / small.quantities.var(axis=0))[:, :2]
    expected = 0.5 * of_fields.mean(1) + 0.5 * of_quantities.mean(1)
    np.testing.assert_allclose(learner.uncertainty(POINTS), expected, rtol=1e-9)


def test_training_is_bitwise_deterministic(
    learner: EnsembleSurrogate, small: TrainingPool
) -> None:
    again = fit(small, SPACE, QUICK, seed=3)
    assert same(learner, again.surrogate)
    assert not same(learner, fit(small, SPACE, QUICK, seed=4).surrogate)


def test_the_global_generator_and_the_thread_count_are_left_alone(small: TrainingPool) -> None:
    state, threads = torch.get_rng_state(), torch.get_num_threads()
    fit(small, SPACE, QUICK.model_copy(update={"threads": threads + 1}), seed=3)
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.get_num_threads() == threads


def test_the_thread_count_comes_back_after_a_failure(small: TrainingPool) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    threads = torch.get_num_threads()
    settings = QUICK.model_copy(update={"threads": threads + 1})
    with pytest.raises(KeyboardInterrupt):
        fit(small, SPACE, settings, seed=3, progress=stop)
    assert torch.get_num_threads() == threads


def test_reexpression_keeps_predictions_when_the_new_basis_holds_the_old(
    learner: EnsembleSurrogate, grown: TrainingPool
) -> None:
    outputs = outputs_of(grown)
    assert outputs.pod.rank > learner.outputs.pod.rank
    after = reexpress(learner, outputs).predict(POINTS)
    before = learner.predict(POINTS)
    scale = before.fields.mean.std((0, 1))  # (c,)
    assert np.abs((after.fields.mean - before.fields.mean) / np.maximum(scale, 1)).max() < 1e-5
    np.testing.assert_allclose(after.fields.std, before.fields.std, atol=1e-5 * scale.max())
    np.testing.assert_allclose(after.quantities.mean, before.quantities.mean, rtol=1e-5)
    np.testing.assert_allclose(after.quantities.std, before.quantities.std, rtol=1e-3)


def test_reexpression_in_a_smaller_basis_is_the_projection(
    learner: EnsembleSurrogate, grown: TrainingPool
) -> None:
    outputs = outputs_of(grown, modes=2)
    after = torch.from_numpy(reexpress(learner, outputs).predict(POINTS).fields.mean)
    before = torch.from_numpy(learner.predict(POINTS).fields.mean)
    expected = outputs.pod.reconstruct(outputs.pod.project(before))
    torch.testing.assert_close(after, expected, rtol=1e-6, atol=1e-5)


def test_fine_tuning_begins_where_the_previous_surrogate_ended(
    learner: EnsembleSurrogate, grown: TrainingPool
) -> None:
    short = Schedule(kind="exponential", start=1e-9, end=1e-9, length=1)
    settings = QUICK.model_copy(update={"fine_tune": short})
    tuned = fit(grown, SPACE, settings, seed=5, previous=learner).surrogate
    np.testing.assert_allclose(
        tuned.predict(POINTS).quantities.mean, learner.predict(POINTS).quantities.mean, rtol=1e-4
    )


def test_fine_tuning_lowers_the_loss_on_the_grown_pool(
    learner: EnsembleSurrogate, grown: TrainingPool
) -> None:
    history = list(fit(grown, SPACE, QUICK, seed=5, previous=learner).history.values())
    assert len(history) == QUICK.fine_tune.length
    assert history[-1] < history[0]


def test_from_scratch_forgets_the_previous_surrogate(
    learner: EnsembleSurrogate, grown: TrainingPool
) -> None:
    settings = QUICK.model_copy(update={"retrain": "from_scratch"})
    with_it = fit(grown, SPACE, settings, seed=5, previous=learner)
    assert max(with_it.history) == QUICK.initial.length
    assert same(with_it.surrogate, fit(grown, SPACE, settings, seed=5).surrogate)


def test_a_quantity_that_was_constant_can_begin_to_vary(tmp_path: Path) -> None:
    """A symmetric initial design may have no lift at all; later samples do."""
    level = np.column_stack([np.geomspace(2, 50, 5), np.zeros(5)])
    with (
        pool(tmp_path / "a", level, fields=False) as first,
        pool(tmp_path / "b", np.concatenate([level, POINTS]), fields=False) as second,
    ):
        first_fit = fit(first, SPACE, QUICK, seed=1)
        tuned = fit(second, SPACE, QUICK, seed=2, previous=first_fit.surrogate)
    assert np.ptp(tuned.surrogate.predict(POINTS).quantities.mean[:, 0]) > 0


@pytest.mark.parametrize(
    ("update", "message"), [({"width": 8}, "width 16 .* 8"), ({"members": 4}, "members 3 .* 4")]
)
def test_networks_of_another_shape_are_not_continued(
    learner: EnsembleSurrogate, grown: TrainingPool, update: dict[str, int], message: str
) -> None:
    with pytest.raises(UsageError, match=f"{message}.*from_scratch"):
        fit(grown, SPACE, QUICK.model_copy(update=update), seed=5, previous=learner)


def test_a_pool_of_one_sample_is_refused(tmp_path: Path) -> None:
    with (
        pool(tmp_path, POINTS[:1]) as data,
        pytest.raises(UsageError, match="at least 2: enlarge the initial design"),
    ):
        fit(data, SPACE, QUICK, seed=0)


def test_a_pool_of_other_parameters_is_refused(small: TrainingPool) -> None:
    space = ParameterSpace({"angle": SPACE.root["angle"], "speed": SPACE.root["speed"]})
    with pytest.raises(UsageError, match="give the space"):
        fit(small, space, QUICK, seed=0)
    with pytest.raises(UsageError, match="give the space"):
        fit(small, ParameterSpace({"x": Parameter(low=0, high=1)}), QUICK, seed=0)


def test_a_pool_without_any_answer_is_refused(tmp_path: Path) -> None:
    mesh = grid()
    answers = [solution(row, mesh, fields=False, quantities=False) for row in POINTS]
    write_shard(tmp_path / "shard.h5", answers, SPACE.names)
    with (
        TrainingPool([tmp_path / "shard.h5"]) as data,
        pytest.raises(UsageError, match="neither quantities nor fields"),
    ):
        fit(data, SPACE, QUICK, seed=0)
