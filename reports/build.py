"""Builds a campaign's report: figures as PNG and one page, in the campaign's directory."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import yaml
from matplotlib.figure import Figure

from phases.campaign import Campaign
from phases.overview import all_records, levels_of, steps_of
from phases.progress import tell
from pools.files import publish_bytes
from pools.space import ParameterSpace
from reports.calibration import draw_calibration
from reports.canvas import png
from reports.data import (
    Evaluation,
    asked_groups,
    curve_points,
    evaluate_test_set,
    pictured_samples,
    step_seconds,
    tried_samples,
)
from reports.design_space import MOST_PARAMETERS, draw_design_space
from reports.failure_map import MOST_PARAMETERS as MOST_MAPPED
from reports.failure_map import draw_cost_map, draw_failure_map
from reports.field_picture import Picture, draw_fields
from reports.learning_curve import CurvePoint, draw_learning_curve
from reports.page import Drawing, Page, page_html
from reports.parity import draw_parity
from reports.phase_seconds import draw_phase_seconds
from reports.standing import standing
from surrogates.cost import cost_quality, fit_cost
from surrogates.feasibility import feasibility_quality, fit_feasibility

_FAILURES, _COST = "failures.png", "cost.png"
_SPREAD_WORTH_A_MAP = 2.0
_ON_A_PANEL = 2  # parameters


@dataclass(frozen=True, slots=True, eq=False)
class _Material:
    """What the figures are drawn from; `evaluation` is None before the first metrology."""

    campaign: Campaign
    points: Sequence[CurvePoint]
    evaluation: Evaluation | None


def build_report(campaign: Campaign) -> Path:
    """Draw the report of a campaign, however far it has got, and return its page."""
    directory = campaign.directory / "report"
    drawings = _draw_all(campaign)
    for drawing in drawings:
        publish_bytes(directory / drawing.file, drawing.content)
    page = directory / "index.html"
    publish_bytes(page, page_html(_page(campaign, drawings)).encode())
    _remove_old_pictures(directory, drawings)
    return page


def _draw_all(campaign: Campaign) -> list[Drawing]:
    points = curve_points(campaign)
    evaluation = evaluate_test_set(campaign, points[-1]) if points else None
    material = _Material(campaign, points, evaluation)
    work: list[tuple[str, Callable[[], list[Drawing]]]] = [
        ("learning curve", partial(_learning_curve, material)),
        ("parity", partial(_parity, material)),
        ("fields", partial(_fields, material)),
        ("calibration", partial(_calibration, material)),
        ("design space", partial(_design_space, campaign)),
        ("failures", partial(_failures, campaign)),
        ("solver seconds", partial(_cost, campaign)),
        ("seconds", partial(_seconds, campaign)),
    ]
    drawings = []
    for done, (name, draw) in enumerate(work, start=1):
        drawings += draw()
        tell("report", done, len(work), name)
    return drawings


def _learning_curve(material: _Material) -> list[Drawing]:
    if not material.points:
        return []
    target = material.campaign.config.stopping.target_error
    caption = (
        "Headline error (the mean of the outputs' errors below) on the fixed test set against the "
        "number of labelled samples, one point for each step; below, the error of each output. "
        "Grey, where a share of the samples follows the Sobol' sequence: the error on the last 32 "
        "of these, as predicted before they were learnt from, with its 95 % interval."
    )
    figure = draw_learning_curve(material.points, target)
    return [_drawing("learning_curve.png", "Learning curve", caption, figure)]


def _parity(material: _Material) -> list[Drawing]:
    if material.evaluation is None or not material.evaluation.quantities:
        return []
    caption = (
        f"Quantities of interest on the test set as predicted after step "
        f"{material.evaluation.step}, with bars for the central 90 % interval, against the "
        "solver's."
    )
    figure = draw_parity(material.evaluation.quantities)
    return [_drawing("parity.png", "Predicted against true", caption, figure)]


def _fields(material: _Material) -> list[Drawing]:
    if material.evaluation is None:
        return []
    samples = pictured_samples(material.campaign, material.evaluation)
    return [_field_drawing(picture) for picture in draw_fields(samples)]


def _field_drawing(picture: Picture) -> Drawing:
    sample = picture.sample
    identity = sample.solution.sample.id
    caption = (
        f"Test sample {identity}, relative L2 error {sample.error:.3g}: each field as solved and "
        "as predicted, in the same colours, its error and its predicted standard deviation."
    )
    if picture.trouble:
        caption += (
            f" Drawn by matplotlib, as pyvista could not: {picture.trouble}; its pictures need "
            "the packages libegl1 and libgl1-mesa-dri."
        )
    title = f"Fields of the test sample with the {sample.rank} error"
    return _drawing(f"field_{identity}.png", title, caption, picture.figure)


def _calibration(material: _Material) -> list[Drawing]:
    if material.evaluation is None:
        return []
    caption = (
        "Share of the test set's truths inside the central interval that should hold the nominal "
        "share of them; on the diagonal the predicted standard deviation is right."
    )
    figure = draw_calibration(material.evaluation.fields, material.evaluation.quantity_coverage)
    return [_drawing("uncertainty.png", "Is the uncertainty right?", caption, figure)]


def _design_space(campaign: Campaign) -> list[Drawing]:
    groups = asked_groups(campaign)
    if not groups:
        return []
    space = campaign.config.parameters
    some = f" Only the first {MOST_PARAMETERS} parameters are drawn."
    caption = (
        "Training samples over every pair of design parameters, coloured by the step that asked "
        "for them; crosses are samples without a solution."
    ) + (some if space.d > MOST_PARAMETERS else "")
    figure = draw_design_space(space, groups)
    return [_drawing("samples.png", "Where the samples lie", caption, figure)]


def _failures(campaign: Campaign) -> list[Drawing]:
    space, tried, seed = campaign.config.parameters, tried_samples(campaign), campaign.config.seed
    quality = feasibility_quality(space, tried.outcomes, seed)
    if quality is None:
        return []
    caption = (
        f"Chance that the solver succeeds{_mapped(space)}, learnt from {quality.samples} training "
        f"samples that were tried, {quality.failures} of which failed. At samples that were left "
        f"out its Brier score is {quality.brier:.3f}, against {quality.base_brier:.3f} of always "
        f"saying the share that was solved (lower is better), and its AUC {quality.auc:.2f} (1 "
        "tells all apart, 0.5 is a guess)."
    )
    figure = draw_failure_map(space, fit_feasibility(space, tried.outcomes, seed), tried)
    return [_drawing(_FAILURES, "Where the solver fails", caption, figure)]


def _cost(campaign: Campaign) -> list[Drawing]:
    space, seed = campaign.config.parameters, campaign.config.seed
    tried = tried_samples(campaign, finest_only=True)
    quality = cost_quality(space, tried.outcomes, seed)
    if quality is None or quality.r2 <= 0 or tried.spread < _SPREAD_WORTH_A_MAP:
        return []  # a map of nothing but noise would mislead
    caption = (
        f"Expected solver seconds of a sample{_mapped(space)}, all its tries together, and those "
        f"of the {quality.samples} training samples, failed ones among them. At samples that were "
        f"left out the expectation explains {100 * quality.r2:.0f} % of the variance of "
        f"the logarithm, and errs by less than {100 * quality.median_relative_error:.0f} % at "
        "half of them."
    )
    figure = draw_cost_map(space, fit_cost(space, tried.outcomes, seed), tried)
    return [_drawing(_COST, "Where the solver takes long", caption, figure)]


def _mapped(space: ParameterSpace) -> str:
    """Say what a map shows of parameters beyond the two of a panel."""
    if space.d > MOST_MAPPED:
        return f" over the {MOST_MAPPED} parameters that matter most (mean over all others)"
    return " (mean over the other parameters)" if space.d > _ON_A_PANEL else ""


def _seconds(campaign: Campaign) -> list[Drawing]:
    steps = step_seconds(campaign)
    if not steps:
        return []
    caption = (
        "Wall time of each phase without the solver, and beside it the solver's seconds, summed "
        "over samples that may have run side by side; the design includes the test set."
    )
    return [_drawing("seconds.png", "Where the time went", caption, draw_phase_seconds(steps))]


def _drawing(file: str, title: str, caption: str, figure: Figure) -> Drawing:
    return Drawing(file, title, caption, png(figure))


def _page(campaign: Campaign, drawings: Sequence[Drawing]) -> Page:
    configuration = (campaign.directory / "campaign.yaml").read_text()
    points = curve_points(campaign)
    return Page(
        name=campaign.config.name,
        description=campaign.config.description,
        made_at=datetime.now(UTC).isoformat(sep=" ", timespec="minutes"),
        standing=standing(campaign),
        steps=steps_of(campaign),
        levels=levels_of(campaign),
        samples=[record for record in all_records(campaign) if record.outcome is not None],
        last=points[-1] if points else None,
        drawings=drawings,
        configuration=configuration,
        versions=yaml.safe_load(configuration)["created"]["versions"],
    )


def _remove_old_pictures(directory: Path, drawings: Sequence[Drawing]) -> None:
    """Remove pictures of an earlier report that this one has not: of samples, and maps."""
    current = {drawing.file for drawing in drawings}
    for file in [*directory.glob("field_*.png"), directory / _FAILURES, directory / _COST]:
        if file.name not in current:
            file.unlink(missing_ok=True)
