"""A query strategy whose acquisition depends on the state of the campaign."""

from collections.abc import Callable

from pools.pick import Pick
from strategies.acquisition import Acquisition
from strategies.needed import AbstractQueue, CampaignScope
from strategies.query import AcquisitionQuery, attached


class StepwiseQuery:
    """Asks for what an acquisition chooses that is made anew at each step.

    Args:
        max_samples: how many to ask for in a step.
        acquisition_at: makes the acquisition of a step.
        name: who asks, in the record of each sample.
    """

    def __init__(
        self, max_samples: int, acquisition_at: Callable[[CampaignScope], Acquisition], name: str
    ) -> None:
        self.max_samples = max_samples
        self.acquisition_at = acquisition_at
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
        query = AcquisitionQuery(
            self.max_samples, self.acquisition_at(driver), self.__protocol_name__
        )
        query.attach(driver)
        query.sample(query_queue)
