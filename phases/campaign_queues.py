"""A campaign's queues as strategies may look at them: its directory, seen as queues.

What is asked for stands in `selection.json`, and a sample leaves the queue when its record says
how it ended. So an item is acknowledged by what is on disk: a labeller that is killed loses none,
and there is no second list that could contradict the first.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Never

from phases.asked import queried_picks
from phases.campaign import Campaign
from phases.label import records_of, solved
from pools.errors import UsageError
from pools.pick import Pick


@dataclass(slots=True)
class DirectoryQueue:
    """First in, first out, over picks that the directory holds.

    `get` takes from this view alone: the directory changes by the campaign's phases.

    Attributes:
        read: the picks that are waiting, in order.
    """

    read: Callable[[], Sequence[Pick]]
    _taken: set[str] = field(default_factory=set, init=False)

    def put(self, item: object) -> Never:
        """Refuse: a campaign's phases fill its queues.

        Raises:
            UsageError: always.
        """
        raise UsageError(
            f"cannot put a {type(item).__name__} on a campaign's queue: its query strategies "
            "choose, its solver labels; name a strategy under query in the campaign file, or "
            "assemble a phases.driver.Driver"
        )

    def get(self) -> Pick:
        """Return the first pick that this view has not returned yet.

        Raises:
            UsageError: there is none.
        """
        if not (waiting := self._waiting()):
            raise UsageError("the queue is empty; ask empty() before get()")
        self._taken.add(waiting[0].sample.id)
        return waiting[0]

    def empty(self) -> bool:
        """Say whether there is nothing to get."""
        return not self._waiting()

    def _waiting(self) -> list[Pick]:
        return [pick for pick in self.read() if pick.sample.id not in self._taken]


def to_label(campaign: Campaign, step: int) -> list[Pick]:
    """Return what the query of a step chose and the solver has not answered or failed at yet."""
    if not campaign.ledger.find(step, "query"):
        return []
    picks = queried_picks(campaign, step)
    tried = {r.pick.sample.id for r in records_of(campaign, picks) if r.outcome is not None}
    return [pick for pick in picks if pick.sample.id not in tried]


def to_append(campaign: Campaign, step: int) -> list[Pick]:
    """Return what a step's solver runs have answered and the training pool does not hold yet."""
    if not campaign.ledger.find(step, "query") or campaign.ledger.find(step, "append"):
        return []
    return [record.pick for record in solved(records_of(campaign, queried_picks(campaign, step)))]
