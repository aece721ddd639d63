"""The metrology phase: how good the surrogate is, on samples that it never learns from."""

from phases.campaign import Campaign, Work
from phases.progress import tell
from phases.scope import scope
from pools.files import publish_json
from pools.ledger import Entry
from strategies.metrology import FixedTestSet


def metrology(campaign: Campaign, step: int) -> Entry:
    """Measure the surrogate of a step on the fixed test set."""
    return campaign.once(step, "metrology", lambda _: _metrology(campaign, step))


def _metrology(campaign: Campaign, step: int) -> Work:
    strategy = FixedTestSet()
    with scope(campaign, step, "metrology") as seen:
        strategy.attach(seen)
        strategy.compute()
    record = strategy.records[-1]
    file = campaign.step_directory(step) / "metrics.json"
    publish_json(file, record)
    tell("metrology", 1, 1, f"{record['labelled']} labelled, error {record['error']:.4f}")
    return Work([file], {"labelled": record["labelled"], "error": record["error"]})
