"""What the figures show, gathered from a campaign's directory."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from phases.asked import initial_picks
from phases.campaign import Campaign
from phases.label import records_of
from phases.outcomes import own_seconds
from phases.overview import asked_by_step, design_records, steps_of
from phases.unbiased import estimate_in
from pools.outcome import Outcome
from pools.pick import Pick
from pools.record import SampleRecord
from pools.training import Block, TrainingPool
from pools.vtkhdf import read_solution
from reports.calibration import LEVELS, coverage
from reports.design_space import Asked
from reports.failure_map import Tried
from reports.field_picture import PredictedSample
from reports.learning_curve import CurvePoint
from reports.parity import QuantityTest
from reports.phase_seconds import StepSeconds
from strategies.metrics import Metrics
from surrogates.checkpoint import load
from surrogates.prediction import Learner, Prediction

Array = NDArray[np.float64]

_DESIGN_PHASES = ("design", "label_design", "append_design")


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """The last surrogate that was measured, sample by sample on the test set.

    Attributes:
        step: which trained it.
        ids: of the test samples.
        relative_l2: errors of the fields, shape (n, c).
        fields: observed coverage of each field by name, shape (levels,).
        quantities: truths and predictions.
    """

    step: int
    ids: list[str]
    relative_l2: Array
    fields: Mapping[str, Array]
    quantities: Sequence[QuantityTest]

    @property
    def quantity_coverage(self) -> dict[str, Array]:
        """Observed coverage of each quantity by name, shape (levels,)."""
        return {
            q.name: coverage(q.mean - q.truth, q.std, np.ones(len(q.truth)))
            for q in self.quantities
        }


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """A few test samples: relative errors (m, c), coverage (c, levels), quantities (m, q)."""

    relative_l2: Array
    coverage: Array
    mean: Array
    std: Array


def curve_points(campaign: Campaign, until: int | None = None) -> list[CurvePoint]:
    """Return every measured step, up to and with `until` if given."""
    entries = [entry for entry in campaign.ledger.entries() if entry.phase == "metrology"]
    return [
        CurvePoint(
            entry.step,
            entry.summary["labelled"],
            _metrics(campaign, entry.step),
            estimate_in(entry),
        )
        for entry in entries
        if until is None or entry.step <= until
    ]


def evaluate_test_set(campaign: Campaign, point: CurvePoint) -> Evaluation:
    """Ask the surrogate of a measured step at every test sample, a few at a time."""
    learner = load(campaign.checkpoint(point.step))
    with campaign.test_pool(point.step) as pool:
        blocks = pool.blocks()
        parts = [_part(learner.predict(block.parameters), block) for block in blocks]
        return _evaluation(point, pool, parts)


def pictured_samples(campaign: Campaign, evaluation: Evaluation) -> list[PredictedSample]:
    """Return the test samples of median and of largest error; none without fields."""
    if not evaluation.fields:
        return []
    errors = evaluation.relative_l2.mean(axis=1)  # (n,)
    order, learner = np.argsort(errors, kind="stable"), load(campaign.checkpoint(evaluation.step))
    chosen = {"median": order[(len(order) - 1) // 2], "largest": order[-1]}
    places = {int(index): rank for rank, index in reversed(chosen.items())}  # may be the same
    return [
        _predicted(campaign, learner, evaluation.ids[index], rank, float(errors[index]))
        for index, rank in reversed(places.items())
    ]


def asked_groups(campaign: Campaign) -> list[Asked]:
    """Return where the initial design and each step's samples lie, as far as they were tried."""
    if campaign.ledger.find(0, "design") is None:
        return []
    steps = sorted({e.step for e in campaign.ledger.entries() if e.phase == "query"})
    groups = [(None, initial_picks(campaign)), *((k, asked_by_step(campaign, k)) for k in steps)]
    return [_asked(campaign, step, picks) for step, picks in groups]


def tried_samples(campaign: Campaign, *, finest_only: bool = False) -> Tried:
    """Return the training samples that were tried, as they stand; infrastructure faults left out.

    The test set is left out too, as in what strategies see; and what a cheaper level of the solver
    was asked, where only the finest is wanted.
    """
    began = campaign.ledger.find(0, "design") is not None
    steps = sorted({e.step for e in campaign.ledger.entries() if e.phase == "query"})
    picks = initial_picks(campaign) if began else []
    picks += [pick for step in steps for pick in asked_by_step(campaign, step)]
    if finest_only:
        picks = [pick for pick in picks if not pick.sample.level]
    records = records_of(campaign, picks)
    ended = {r.pick.sample.id: r.outcome for r in records if r.outcome}
    kept = [
        r for r in records if ended.get(r.pick.sample.id) not in {None, Outcome.INFRASTRUCTURE}
    ]
    return Tried(
        parameters=_rows(campaign, kept),
        ended=[ended[record.pick.sample.id] for record in kept],
        seconds=np.array([own_seconds(record) for record in kept]),
    )


def step_seconds(campaign: Campaign) -> list[StepSeconds]:
    """Return seconds of the design and of every step that began."""
    initial, test = design_records(campaign)
    steps = steps_of(campaign)
    if not steps:
        return []
    design = sum(steps[0].phases.get(phase, 0.0) for phase in _DESIGN_PHASES)
    solver = sum(record.seconds for record in [*initial, *test])
    began = [step for step in steps if set(step.phases) - set(_DESIGN_PHASES)]
    later = [StepSeconds(str(step.step), step.phases, step.solver_seconds) for step in began]
    return [StepSeconds("design", {"design": design}, solver), *_without_design(later)]


def _metrics(campaign: Campaign, step: int) -> Metrics:
    file = campaign.step_directory(step) / "metrics.json"
    metrics = Metrics.from_json(json.loads(file.read_text()))
    solver = campaign.solver  # the file is sorted by name, the solver's order means something
    return replace(
        metrics,
        fields={name: metrics.fields[name] for name in solver.fields},
        quantities={name: metrics.quantities[name] for name in solver.quantities},
    )


def _part(predicted: Prediction, block: Block) -> _Part:
    weights = block.weights / block.weights.sum(axis=1, keepdims=True, dtype=np.float64)  # (m, p)
    truth = block.fields.astype(np.float64)  # (m, p, c)
    error, std = predicted.fields.mean - truth, predicted.fields.std
    size = np.sqrt(np.einsum("mp,mpc->mc", weights, truth**2))
    norm = np.sqrt(np.einsum("mp,mpc->mc", weights, error**2))
    covered = [coverage(error[:, :, c], std[:, :, c], weights) for c in range(error.shape[2])]
    return _Part(
        relative_l2=np.divide(norm, size, out=norm.copy(), where=size > 0),
        coverage=np.array(covered).reshape(-1, len(LEVELS)),
        mean=predicted.quantities.mean,
        std=predicted.quantities.std,
    )


def _evaluation(point: CurvePoint, pool: TrainingPool, parts: Sequence[_Part]) -> Evaluation:
    counts = [len(part.mean) for part in parts]
    covered = np.average([part.coverage for part in parts], axis=0, weights=counts)  # (c, levels)
    mean = np.concatenate([part.mean for part in parts])  # (n, q)
    std = np.concatenate([part.std for part in parts])  # (n, q)
    quantities = [
        QuantityTest(
            name, point.metrics.quantities[name], pool.quantities[:, i], mean[:, i], std[:, i]
        )
        for i, name in enumerate(pool.schema.quantities)
    ]
    return Evaluation(
        step=point.step,
        ids=list(pool.ids),
        relative_l2=np.concatenate([part.relative_l2 for part in parts]),
        fields=dict(zip(pool.schema.fields, covered, strict=True)),
        quantities=quantities,
    )


def _predicted(
    campaign: Campaign, learner: Learner, sample_id: str, rank: str, error: float
) -> PredictedSample:
    solution = read_solution(campaign.sample_directory(sample_id).solution)
    row = solution.sample.row(campaign.config.parameters.names)
    fields = learner.predict(row[np.newaxis]).fields
    return PredictedSample(rank, error, solution, fields.mean[0], fields.std[0])


def _asked(campaign: Campaign, step: int | None, picks: Sequence[Pick]) -> Asked:
    records = records_of(campaign, picks)
    tried = [record for record in records if record.outcome is not None]
    good = [record for record in tried if record.outcome is Outcome.OK]
    bad = [record for record in tried if record.outcome is not Outcome.OK]
    return Asked(step, _rows(campaign, good), _rows(campaign, bad))


def _rows(campaign: Campaign, records: Sequence[SampleRecord]) -> Array:
    names = campaign.config.parameters.names
    rows = [record.pick.sample.row(names) for record in records]
    return np.array(rows).reshape(-1, len(names))  # (m, d)


def _without_design(steps: Sequence[StepSeconds]) -> list[StepSeconds]:
    """Take the design's phases, which the ledger keeps under step 0, out of the steps."""
    return [
        StepSeconds(
            s.name, {k: v for k, v in s.phases.items() if k not in _DESIGN_PHASES}, s.solver
        )
        for s in steps
    ]
