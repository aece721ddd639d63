"""What the Prefect UI shows of one step: a table in Markdown and the learning curve."""

from collections.abc import Iterable, Sequence

from phases.campaign import Campaign
from phases.label import records_of
from phases.overview import asked_by_step, design_records
from phases.tally import Tally
from pools.record import SampleRecord
from reports.canvas import png, pretty_unit
from reports.data import curve_points
from reports.learning_curve import CurvePoint, draw_learning_curve
from reports.standing import decision_of


def step_markdown(campaign: Campaign, step: int) -> str:
    """Tell how a step went: metrics, how the samples it learnt from ended, stopping signals."""
    points = [point for point in curve_points(campaign, step) if point.step == step]
    metrics = _metrics(points[0]) if points else [f"## Step {step}: not measured yet"]
    return "\n".join([*metrics, "", *_outcomes(campaign, step), "", *_signals(campaign, step)])


def learning_curve_png(campaign: Campaign, step: int) -> bytes:
    """Draw the learning curve up to and with a step that was measured."""
    target = campaign.config.stopping.target_error
    return png(draw_learning_curve(curve_points(campaign, step), target))


def _metrics(point: CurvePoint) -> list[str]:
    metrics = point.metrics
    fields = [
        (name, f"relative L2 {f.relative_l2.mean:.4g}", f"{100 * f.coverage90:.0f} %")
        for name, f in metrics.fields.items()
    ]
    quantities = [
        (name, f"RMSE {q.rmse:.4g} {pretty_unit(q.unit)}".rstrip(), f"{100 * q.coverage90:.0f} %")
        for name, q in metrics.quantities.items()
    ]
    title = f"## Step {point.step}: error {metrics.error:.4g} with {point.labelled} samples"
    return [title, "", *_table(("output", "error", "90 % coverage"), [*fields, *quantities])]


def _outcomes(campaign: Campaign, step: int) -> list[str]:
    """Count how the samples that were new to this step ended."""
    records = _new_records(campaign, step)
    whose = f"asked for by step {step - 1}" if step else "of the initial design and the test set"
    seconds = sum(record.seconds for record in records)
    return [f"Samples {whose}: {Tally.of(records)} ({seconds:.1f} solver seconds)."]


def _new_records(campaign: Campaign, step: int) -> Sequence[SampleRecord]:
    if step:
        return records_of(campaign, asked_by_step(campaign, step - 1))
    initial, test = design_records(campaign)
    return [*initial, *test]


def _signals(campaign: Campaign, step: int) -> list[str]:
    decision = decision_of(campaign, step)
    if decision is None:
        return []
    verdict = f"Stops: {decision.reason}" if decision.stop else "Goes on."
    return [f"**{_safe(verdict)}**", "", *(f"- {_safe(s.message)}" for s in decision.signals)]


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [head, ["---"] * len(head), *rows]
    return ["| " + " | ".join(map(_safe, line)) + " |" for line in lines]


def _safe(text: str) -> str:
    return text.replace("|", r"\|").replace("<", "&lt;")
