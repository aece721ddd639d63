"""Ask every query strategy of a step in turn; nothing is picked twice."""

import logging
from collections.abc import Iterable, Sequence
from queue import Queue
from typing import Any

from pools.pick import Pick
from pools.sample import Sample
from strategies.protocols import DriverProtocol, QueryStrategy
from strategies.remaining import Remaining

_LOGGER = logging.getLogger("solverloop.query")


def run_queries(strategies: Sequence[QueryStrategy], driver: DriverProtocol) -> list[Pick]:
    """Return what the strategies ask for, in their order.

    Each strategy sees the unlabeled pool without what is labelled or was picked before it. A sample
    that is asked for all the same is dropped, and the log says so.
    """
    taken = set(driver.training_pool.ids)
    picks: list[Pick] = []
    for strategy in strategies:
        strategy.attach(Remaining(driver, tuple(picks)))
        for pick in _ask(strategy):
            if pick.sample.id in taken:
                _LOGGER.warning("%s asked for %s again", pick.asked_by, pick.sample.id)
                continue
            taken.add(pick.sample.id)
            picks.append(pick)
    return picks


def _ask(strategy: QueryStrategy) -> Iterable[Pick]:
    queue: Queue[Any] = Queue()
    strategy.sample(queue)
    while not queue.empty():
        yield _as_pick(queue.get(), strategy)


def _as_pick(item: Pick | Sample, strategy: QueryStrategy) -> Pick:
    """Wrap what a strategy of a user's own put on the queue."""
    match item:
        case Pick():
            return item
        case Sample():
            return Pick(item, strategy.__protocol_name__)
        case _:
            raise TypeError(
                f"{strategy.__protocol_name__} put {type(item).__name__} on the query queue; put a "
                "Sample of driver.unlabeled_pool, or a Pick of one"
            )
