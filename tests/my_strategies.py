"""A user's query strategies of the documented API, for the tests of `kind: strategy`."""

import logging
from typing import Any

from strategies.protocols import AbstractQueue, QueryStrategy

not_a_class = 3


class Last:
    """As small as the documentation allows."""

    def __init__(self, max_samples: int, stride: int = 1) -> None:
        self.max_samples = max_samples
        self.stride = stride

    def attach(self, driver: Any) -> None:
        self.driver = driver

    def sample(self, query_queue: AbstractQueue[Any]) -> None:
        pool = self.driver.unlabeled_pool
        for i in range(self.max_samples):
            query_queue.put(pool[len(pool) - 1 - i * self.stride])


class Sized(Last):
    """Has a size of its own, and no argument for it."""

    max_samples = 7

    def __init__(self) -> None:
        self.stride = 1


class Uncertain(QueryStrategy):
    """A subclass of the protocol, which puts on the driver's queue and logs."""

    max_samples: int
    logger: logging.Logger

    def sample(self, query_queue: AbstractQueue[Any], *_args: Any, **_kwargs: Any) -> None:
        assert query_queue is self.driver.query_queue
        pool = self.driver.unlabeled_pool
        scores = self.driver.learner.uncertainty(pool.parameters)
        for index in scores.argsort()[::-1][: self.max_samples].tolist():
            self.driver.query_queue.put(pool[index])
        self.logger.info("asked for %d", self.max_samples)


class Mute:
    """No query strategy."""
