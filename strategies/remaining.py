"""The candidates that are still open: neither labelled, nor for testing, nor already picked."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pools.candidates import CandidatePool, DesignSequence
from pools.distinct import keys
from pools.pick import Pick
from strategies.needed import AbstractQueue, CampaignScope

Array = NDArray[np.float64]

SOBOL = "sobol"
"""Who asks for the points of the design sequence."""


@dataclass(frozen=True, slots=True)
class Remaining:
    """A driver as the next strategy of a step sees it, once others have picked.

    Only the pool and the design sequence differ: what is picked is gone; and the query queue is
    the strategy's own. All else is the driver's, also what the protocol does not name.
    """

    driver: CampaignScope
    picks: Sequence[Pick]
    query_queue: AbstractQueue[Any]

    @property
    def unlabeled_pool(self) -> CandidatePool:
        """The candidates that nobody has picked."""
        pool = open_candidates(self.driver)
        picked = [pick.sample.row(pool.names) for pick in self.picks]
        return without(pool, np.reshape(picked, (-1, pool.parameters.shape[1])))

    @property
    def design(self) -> DesignSequence:
        """The design sequence behind the points that were picked from it."""
        names = self.driver.space.names
        others = [pick.sample.row(names) for pick in self.picks if pick.asked_by != SOBOL]
        picked = len(self.picks) - len(others)
        return self.driver.design.behind(picked, np.reshape(others, (-1, len(names))))

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the driver has
        return getattr(self.driver, name)


def open_candidates(driver: CampaignScope) -> CandidatePool:
    """Return the unlabeled pool without points of the training pool and the test set.

    What a cheaper level of the solver has answered may still be asked of the finest.
    """
    labelled = driver.training_pool
    pool = without(driver.unlabeled_pool, labelled.parameters[labelled.finest])
    return pool if driver.test_pool is None else without(pool, driver.test_pool.parameters)


def without(pool: CandidatePool, rows: Array) -> CandidatePool:
    """Return the pool without the points that equal one of `rows`, shape (m, d), to the bit."""
    gone = set(keys(rows))
    keep = [key not in gone for key in keys(pool.parameters)]
    return pool if all(keep) else replace(pool, parameters=pool.parameters[keep])
