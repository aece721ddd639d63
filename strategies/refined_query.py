"""A query strategy whose picks are moved uphill before they are asked for."""

import queue
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pools.pick import Pick
from pools.sample import Sample
from strategies.needed import AbstractQueue, CampaignScope, Querying
from strategies.query import attached
from strategies.refine import refined

Array = NDArray[np.float64]


class RefinedQuery:
    """Asks for what another strategy picks, each moved to larger variance nearby.

    Args:
        query: who picks, with a score that rises with the variance.
    """

    def __init__(self, query: Querying) -> None:
        self.query = query
        self.__protocol_name__ = query.__protocol_name__
        self.driver: CampaignScope | None = None

    @property
    def max_samples(self) -> int:
        """How many to ask for in a step."""
        return self.query.max_samples

    @property
    def is_attached(self) -> bool:
        """Whether `attach` was called."""
        return self.driver is not None

    def attach(self, other: CampaignScope) -> None:
        """Query on behalf of this driver."""
        self.driver = other
        self.query.attach(other)

    def sample(self, query_queue: AbstractQueue[Pick], *_args: object, **_kwargs: object) -> None:
        """Put exactly `max_samples` picks on the queue; score and chance are those before moving.

        Raises:
            UsageError: not attached, too few candidates, or a learner without spread.
            CampaignError: the learner's scores are not finite.
        """
        driver, picked = attached(self.driver, self.__protocol_name__), queue.Queue[Pick]()
        self.query.sample(picked)
        picks = [picked.get() for _ in range(picked.qsize())]
        for pick in _moved(picks, driver):
            query_queue.put(pick)


def _moved(picks: Sequence[Pick], driver: CampaignScope) -> list[Pick]:
    pool, domain = driver.unlabeled_pool, driver.design.domain
    rows = np.reshape([pick.sample.row(pool.names) for pick in picks], (-1, len(pool.names)))
    moved = refined(rows, _known(driver), driver.learner, domain)
    samples = Sample.of_rows(moved, pool.names, pool.solver)
    far = np.linalg.norm(domain.space.normalise(moved) - domain.space.normalise(rows), axis=1)
    return [
        replace(pick, sample=sample, reason=f"{pick.reason}; moved uphill by {distance:.2g}")
        if distance > 0
        else pick
        for pick, sample, distance in zip(picks, samples, far.tolist(), strict=True)
    ]


def _known(driver: CampaignScope) -> Array:
    """Return the labelled and the test samples, shape (m, d)."""
    labelled = driver.training_pool.parameters
    if driver.test_pool is None:
        return labelled
    return np.concatenate([labelled, driver.test_pool.parameters])
