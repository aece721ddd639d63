"""The metrology phase: how good the surrogate is, on samples that it never learns from."""

from phases.campaign import Campaign, Work
from phases.progress import tell
from phases.scope import scope
from pools.files import publish_json
from pools.ledger import Entry
from strategies.metrology import evaluate


def metrology(campaign: Campaign, step: int) -> Entry:
    """Measure the surrogate of a step on the fixed test set."""
    return campaign.once(step, "metrology", lambda _: _metrology(campaign, step))


def _metrology(campaign: Campaign, step: int) -> Work:
    with scope(campaign, step, "metrology") as seen:
        metrics = evaluate(seen.learner, seen.test_pool)
        labelled = len(seen.training_pool)
    file = campaign.step_directory(step) / "metrics.json"
    publish_json(file, {"step": step, "labelled": labelled, **metrics.to_json()})
    tell("metrology", 1, 1, f"{labelled} labelled, error {metrics.error:.4f}")
    return Work([file], {"labelled": labelled, "error": metrics.error})
