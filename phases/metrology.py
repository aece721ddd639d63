"""The metrology phase: how good the surrogate is, on samples that it never learns from."""

from phases.campaign import Campaign, Work
from phases.progress import say
from phases.scope import scope
from phases.unbiased import write_unbiased
from pools.files import publish_json
from pools.ledger import Entry
from strategies.metrics import Metrics
from strategies.unbiased import UnbiasedError


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
    unbiased, estimate = write_unbiased(campaign, step)
    say(
        f"metrology: {record['labelled']} labelled, error {record['error']:.4f}{_beside(estimate)}"
    )
    summary = {
        "labelled": record["labelled"],
        "error": record["error"],
        "errors": Metrics.from_json(record).errors,
        "unbiased": None if estimate is None else estimate.to_json(),
    }
    return Work([file, unbiased], summary)


def _beside(estimate: UnbiasedError | None) -> str:
    """Say what the unbiased share says, where it says something."""
    if estimate is None or estimate.low is None:
        return ""
    return (
        f"; foretold {estimate.error:.4f} [{estimate.low:.4f}, {estimate.high:.4f}] "
        f"on {estimate.samples} samples before they were learnt from"
    )
