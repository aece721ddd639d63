"""One query: several strategies share a step, and no sample is asked for twice."""

import queue
from collections.abc import Collection, Iterator, Sequence

from pools.errors import UsageError
from pools.pick import Pick
from pools.sample import Sample
from strategies.needed import CampaignScope, Querying
from strategies.remaining import Remaining


def run_queries(strategies: Sequence[Querying], driver: CampaignScope) -> list[Pick]:
    """Ask each strategy in turn and return what they pick, every sample once.

    Each sees the pool without what is labelled, for testing, or picked by the ones before. What
    it puts on the queue in spite of that, or beyond `max_samples`, is dropped with a warning.

    Args:
        strategies: who asks, in this order; attached by this function.
        driver: what they see.

    Raises:
        UsageError: a strategy put something on the queue that is no sample, or cannot be used.
        CampaignError: the learner's scores are not finite.
    """
    known = {*driver.training_pool.ids, *(driver.test_pool.ids if driver.test_pool else ())}
    picks: list[Pick] = []
    for strategy in strategies:
        channel: queue.Queue[Pick | Sample] = queue.Queue()
        strategy.attach(Remaining(driver, tuple(picks), channel))
        strategy.sample(channel)
        asked = list(_drained(channel, strategy.__protocol_name__))
        new = list(_distinct(asked, known | {pick.sample.id for pick in picks}))
        kept = new[: strategy.max_samples]
        for remark in _remarks(strategy.max_samples, len(asked), len(new), len(kept)):
            driver.logger.warning("query %s: %s", strategy.__protocol_name__, remark)
        picks += kept
    return picks


def _drained(channel: "queue.Queue[Pick | Sample]", name: str) -> Iterator[Pick]:
    while not channel.empty():
        yield _as_pick(channel.get(), name)


def _as_pick(item: object, name: str) -> Pick:
    match item:
        case Pick():
            return item
        case Sample():
            return Pick(item, name)
        case _:
            raise UsageError(
                f"strategy {name!r} put {type(item).__name__} on the query queue; put samples of "
                "the pool, such as driver.unlabeled_pool[0], or pools.pick.Pick"
            )


def _distinct(picks: Sequence[Pick], known: Collection[str]) -> Iterator[Pick]:
    seen = set(known)
    for pick in picks:
        if pick.sample.id not in seen:
            seen.add(pick.sample.id)
            yield pick


def _remarks(wanted: int, asked: int, new: int, kept: int) -> Iterator[str]:
    """Say what was dropped and what is missing: a smaller step is never silent."""
    if new < asked:
        yield (
            f"dropped {asked - new} of {asked} picks: they repeat, or are labelled, for testing, "
            "or picked by another strategy"
        )
    if kept < new:
        yield f"dropped the last {new - kept} picks, beyond max_samples = {wanted}"
    if kept < wanted:
        yield f"picked {kept} of the {wanted} samples that it may ask for; the step is smaller"
