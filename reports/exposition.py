"""A campaign's numbers as Prometheus reads them, by its conventions of names and base units."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from phases.vitals import POOLS, Vitals, vitals_of
from pools.errors import IntegrityError
from pools.outcome import Outcome

_CAMPAIGN = ("campaign", "directory")  # labels of every metric
Family = CounterMetricFamily | GaugeMetricFamily


@dataclass(frozen=True, slots=True)
class Measure:
    """One metric.

    Attributes:
        name: of the metric; one that ends with `_total` only ever grows.
        meaning: in words, as Prometheus shows it.
        read: its values, by the value of `label`; by the empty word without one.
        label: what tells the values apart.
    """

    name: str
    meaning: str
    read: Callable[[Vitals], Mapping[str, float]]
    label: str = ""

    def family(self) -> Family:
        """Return the metric without values."""
        kind = CounterMetricFamily if self.name.endswith("_total") else GaugeMetricFamily
        return kind(self.name, self.meaning, labels=[*_CAMPAIGN, *filter(None, [self.label])])


MEASURES = (
    Measure(
        "solverloop_samples",
        "Samples that were tried, by how they stand now.",
        lambda v: {outcome.value: v.outcomes.get(outcome, 0) for outcome in Outcome},
        label="outcome",
    ),
    Measure(
        "solverloop_attempts_total",
        "Tries at samples, those of the recovery ladder and of retries included.",
        lambda v: {"": v.attempts},
    ),
    Measure(
        "solverloop_solver_seconds_total",
        "Seconds that the solver ran, summed over all tries.",
        lambda v: {"": v.solver_seconds},
    ),
    Measure(
        "solverloop_waiting_samples",
        "Samples that were asked for and are not tried yet.",
        lambda v: {"": v.waiting},
    ),
    Measure(
        "solverloop_pool_samples",
        "Solved samples in a pool.",
        lambda v: {name: v.labelled[pool] for pool, name in POOLS.items()},
        label="pool",
    ),
    Measure(
        "solverloop_step",
        "The last step that trained, from 0; -1 before the first.",
        lambda v: {"": v.step},
    ),
    Measure(
        "solverloop_headline_error_ratio",
        "Error of the last measured surrogate on the test set, mean over its outputs.",
        lambda v: {} if v.error is None else {"": v.error},
    ),
    Measure(
        "solverloop_error_ratio",
        "Error of each output: relative L2 of a field, normalised RMSE of a quantity.",
        lambda v: v.errors,
        label="output",
    ),
    Measure(
        "solverloop_failed_samples_ratio",
        "Share of the samples that were tried and have no solution.",
        lambda v: {"": v.failed_ratio},
    ),
    Measure(
        "solverloop_ledger_last_entry_timestamp_seconds",
        "When the last phase was finished, in seconds since 1970.",
        lambda v: {"": v.last_entry} if v.last_entry else {},
    ),
    Measure(
        "solverloop_campaign_stopped",
        "1 when a stopping rule has decided after the last measured step.",
        lambda v: {"": float(v.stopped)},
    ),
)
READABLE = Measure(
    "solverloop_campaign_readable",
    "0 when the campaign cannot be read: its other metrics are missing then.",
    lambda _: {"": 1.0},
)


class CampaignCollector(Collector):
    """Reads campaigns whenever Prometheus asks; one that cannot be read is said to be so.

    Args:
        directories: of the campaigns.
    """

    def __init__(self, directories: Sequence[Path]) -> None:
        self._directories = list(dict.fromkeys(each.resolve() for each in directories))

    def describe(self) -> Iterator[Family]:
        """Name the metrics without a look at a campaign."""
        return (measure.family() for measure in (READABLE, *MEASURES))

    def collect(self) -> Iterator[Family]:
        """Read every campaign."""
        readable, *families = self.describe()
        for directory in self._directories:
            vitals = _vitals(directory)
            name = directory.name if vitals is None else vitals.name
            readable.add_metric([name, str(directory)], float(vitals is not None))
            for measure, family in zip(MEASURES, families, strict=True):
                for value, number in measure.read(vitals).items() if vitals else ():
                    family.add_metric([name, str(directory), *filter(None, [value])], number)
        yield from (readable, *families)


def exposition(directories: Sequence[Path]) -> str:
    """Return what a scrape gives."""
    registry = CollectorRegistry()
    registry.register(CampaignCollector(directories))
    return generate_latest(registry).decode()


def _vitals(directory: Path) -> Vitals | None:
    try:
        return vitals_of(directory)
    except IntegrityError:
        return None
