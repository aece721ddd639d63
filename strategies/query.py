"""Query strategies: an acquisition over the unlabeled pool, and the design sequence going on.

[Sobol1967] I. M. Sobol', On the distribution of points in a cube, 1967.
[Owen1998] A. B. Owen, Scrambling Sobol' and Niederreiter-Xing points, J. Complexity 14, 1998.
"""

from collections.abc import Iterator

from pools.candidates import CandidatePool
from pools.errors import UsageError
from pools.pick import Pick
from strategies.acquisition import Acquisition, Selection, checked, require_candidates
from strategies.needed import AbstractQueue, CampaignScope
from strategies.remaining import SOBOL, open_candidates


class AcquisitionQuery:
    """Asks for what an acquisition chooses from the unlabeled pool.

    Args:
        max_samples: how many to ask for in a step.
        acquisition: chooses them; any function with the arguments of `Acquisition`.
        name: who asks, in the record of each sample.
    """

    def __init__(self, max_samples: int, acquisition: Acquisition, name: str) -> None:
        self.max_samples = max_samples
        self.acquisition = acquisition
        self.__protocol_name__ = name
        self.driver: CampaignScope | None = None

    @property
    def is_attached(self) -> bool:
        """Whether `attach` was called."""
        return self.driver is not None

    def attach(self, other: CampaignScope) -> None:
        """Query on behalf of this driver."""
        self.driver = other

    def sample(self, query_queue: AbstractQueue[Pick], *_args: object, **_kwargs: object) -> None:
        """Put exactly `max_samples` picks on the queue.

        Raises:
            UsageError: not attached, too few candidates, or the acquisition cannot be used.
            CampaignError: the learner's scores are not finite.
        """
        driver = attached(self.driver, self.__protocol_name__)
        pool, k = open_candidates(driver), self.max_samples
        require_candidates(k, len(pool))
        selection = self.acquisition(
            pool.parameters, driver.training_pool.parameters, driver.learner, k, driver.rng
        )
        name = self.__protocol_name__
        for pick in _picks(pool, checked(selection, k, len(pool), name), name):
            query_queue.put(pick)


class SobolContinuation:
    """Asks for the next points of the initial design's sequence [Sobol1967, Owen1998].

    They do not depend on the learner, so what it errs there before it learns them is an unbiased
    estimate of its error.

    Args:
        max_samples: how many to ask for in a step.
    """

    __protocol_name__ = SOBOL

    def __init__(self, max_samples: int) -> None:
        self.max_samples = max_samples
        self.driver: CampaignScope | None = None

    @property
    def is_attached(self) -> bool:
        """Whether `attach` was called."""
        return self.driver is not None

    def attach(self, other: CampaignScope) -> None:
        """Query on behalf of this driver."""
        self.driver = other

    def sample(self, query_queue: AbstractQueue[Pick], *_args: object, **_kwargs: object) -> None:
        """Put exactly `max_samples` picks on the queue.

        Raises:
            UsageError: not attached.
        """
        design = attached(self.driver, SOBOL).design
        for number, sample in enumerate(design.next(self.max_samples), start=design.used + 1):
            reason = f"point {number} of the Sobol' sequence, whatever the learner says"
            query_queue.put(Pick(sample, SOBOL, reason=reason))


def attached(driver: CampaignScope | None, name: str) -> CampaignScope:
    """Return the driver.

    Raises:
        UsageError: there is none yet; `name` says whose.
    """
    if driver is None:
        raise UsageError(f"strategy {name!r} is not attached; call attach(driver) first")
    return driver


def _picks(pool: CandidatePool, selection: Selection, name: str) -> Iterator[Pick]:
    chances, reasons = selection.probabilities, selection.reasons
    for place, index in enumerate(selection.indices.tolist()):
        yield Pick(
            sample=pool[index],
            asked_by=name,
            score=None if selection.scores is None else float(selection.scores[index]),
            probability=None if chances is None else float(chances[place]),
            reason=reasons[place] if reasons else "",
        )
