"""The query phase of a driver."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from phases.labelling import count_of, identity_or_none
from pools.queue_content import content_of, replace
from strategies.accepting import call_accepting
from strategies.protocols import name_of

if TYPE_CHECKING:
    from phases.driver import Driver


def query(driver: "Driver", args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
    """Let every query strategy choose; what repeats, or was labelled before, is dropped.

    Args:
        driver: whose strategies.
        args: what they get by position, as far as they take it.
        kwargs: what they get by name, as far as they take it.
    """
    known = driver.journal.samples(before=driver.active_learning_step_idx)
    kept = content_of(driver.query_queue)
    for strategy in driver.query_strategies:
        driver.hide_asked()
        if driver.unlabeled_pool is not None and not len(driver.unlabeled_pool):
            driver.logger.warning("the unlabeled pool is exhausted")
            break
        before = len(kept)
        call = strategy if callable(strategy) else strategy.sample
        call_accepting(call, [driver.query_queue], args, kwargs)
        new = content_of(driver.query_queue)[before:]
        kept += _distinct(new, known | {identity_or_none(item) for item in kept})
        if (dropped := len(new) - (len(kept) - before)) > 0:
            driver.logger.warning(
                "query %s: dropped %d of %d samples: they repeat, or were labelled before",
                *(name_of(strategy), dropped, len(new)),
            )
        if count_of(driver.query_queue) != len(kept):  # some were dropped, or are taken
            replace(driver.query_queue, kept)
    driver.logger.info("%d samples to label", len(kept))


def _distinct(items: Sequence[Any], known: set[str]) -> list[Any]:
    """Return the items whose identity is new; those without one are all kept."""
    seen, kept = set(known), []
    for item in items:
        name = identity_or_none(item)
        if name and name in seen:
            continue
        seen.add(name)
        kept.append(item)
    return kept
