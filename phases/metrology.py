"""The metrology phase: how good the surrogate is, on samples that it never learns from."""

from phases.campaign import Campaign, Work
from phases.progress import say
from phases.scope import scope
from pools.files import publish_json
from pools.ledger import Entry
from strategies.metrics import Metrics


def metrology(campaign: Campaign, step: int) -> Entry:
    """Measure the surrogate of a step on the fixed test set."""
    return campaign.once(step, "metrology", lambda _: measure(campaign, step))


def measure(campaign: Campaign, step: int) -> Work:
    """Write the metrics of a step's surrogate; doing it again gives the same file."""
    with scope(campaign, step, "metrology") as seen:
        seen.attach_strategies()
        (strategy,) = seen.metrology_strategies
        strategy.compute()
    record = strategy.records[-1]
    file = campaign.step_directory(step) / "metrics.json"
    publish_json(file, record)
    say(f"metrology: {record['labelled']} labelled, error {record['error']:.4f}")
    errors = Metrics.from_json(record).errors
    return Work(
        [file], {"labelled": record["labelled"], "error": record["error"], "errors": errors}
    )
