"""The fields of one test sample after a step: what the surrogate gets most wrong."""

from phases.campaign import Campaign
from reports.canvas import png
from reports.data import curve_points, evaluate_test_set, pictured_samples
from reports.field_picture import PredictedSample, compose, draw_fields, panels_of
from reports.render import is_planar


def worst_fields(campaign: Campaign, step: int) -> dict[str, bytes]:
    """Draw the test sample of largest error as a step that was measured predicts it.

    Returns:
        The picture as PNG by what it shows; nothing where the solver has no fields.
    """
    points = [point for point in curve_points(campaign, step) if point.step == step]
    samples = [
        s for p in points for s in pictured_samples(campaign, evaluate_test_set(campaign, p))
    ]
    return _drawn(samples[-1]) if samples else {}


def _drawn(sample: PredictedSample) -> dict[str, bytes]:
    """Draw a plane here, which takes no process of its own; draw what lies in space as ever."""
    name = (
        f"Test sample {sample.solution.sample.id}, of largest error: {sample.error:.3g} "
        "(relative L2, mean over the fields)"
    )
    if is_planar(sample.solution.mesh):
        return {name: png(compose(sample, panels_of(sample), ()))}
    drawn = draw_fields([sample])
    return {name: png(drawn[0].figure)} if drawn else {}
