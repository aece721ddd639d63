"""A query strategy of the documented API in a campaign, by import path."""

import inspect
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from pools.errors import UsageError
from strategies.accepting import accepts, call_accepting
from strategies.import_path import import_named
from strategies.logging_to import give_logger
from strategies.needed import AbstractQueue, CampaignScope
from strategies.protocols import name_of
from strategies.requirements import QUERY, require


class DocumentedQuery:
    """Supplies what the loop needs of a strategy that has only what the documentation asks for.

    Args:
        strategy: with `sample`, and `attach` where it wants to see the driver.
        max_samples: how many to ask for in a step.
    """

    def __init__(self, strategy: Any, max_samples: int) -> None:  # noqa: ANN401 - any class
        self.strategy = strategy
        self.max_samples = max_samples
        self.__protocol_name__ = name_of(strategy)
        self.driver: CampaignScope | None = None

    @property
    def is_attached(self) -> bool:
        """Whether `attach` was called."""
        return self.driver is not None

    def attach(self, other: CampaignScope) -> None:
        """Let the strategy see the step, and log to its log."""
        self.driver = other
        give_logger(self.strategy, other.logger.getChild(self.__protocol_name__))
        if hasattr(self.strategy, "attach"):
            self.strategy.attach(other)

    def sample(self, query_queue: AbstractQueue[Any], *args: object, **kwargs: object) -> None:
        """Let the strategy put what it chooses on the queue."""
        call = self.strategy if callable(self.strategy) else self.strategy.sample
        call_accepting(call, [query_queue], args, kwargs)


def documented_query(path: str, arguments: Mapping[str, object], k: int) -> DocumentedQuery:
    """Import a query strategy and make one that asks for `k` samples a step.

    Args:
        path: `package.module:name` of its class.
        arguments: of the class; `max_samples` among them goes before `k`.
        k: how many samples.

    Raises:
        UsageError: it cannot be imported or made, or is none.
    """
    kind = import_named(path, "the query strategy")
    if not callable(kind):
        raise UsageError(
            f"the query strategy {path!r} is a {type(kind).__name__}; name a class. For example:\n"
            f"{QUERY.example}"
        )
    _refuse_acquisition(kind, path)
    strategy = _made(kind, path, {**_size(kind, k), **arguments})
    if "max_samples" not in arguments:
        with suppress(AttributeError):  # read-only: what it asks for beyond `k` is dropped
            strategy.max_samples = k
    require(strategy, QUERY, f"the query strategy {path!r}")
    return DocumentedQuery(strategy, k)


def _refuse_acquisition(kind: Callable[..., Any], path: str) -> None:
    """Tell whoever names a function of candidates how functions are named."""
    if {"candidates", "labelled", "learner"} <= set(inspect.signature(kind).parameters):
        raise UsageError(
            f"the query strategy {path!r} is an acquisition, a function of candidates; name it "
            f"by `kind: callable` and `function: {path}`"
        )


def _size(kind: Callable[..., Any], k: int) -> dict[str, int]:
    return {"max_samples": k} if accepts(kind, "max_samples") else {}


def _made(kind: Callable[..., Any], path: str, arguments: Mapping[str, object]) -> Any:  # noqa: ANN401
    try:
        return kind(**arguments)
    except Exception as error:
        raise UsageError(
            f"the query strategy {path!r} cannot be made with {dict(arguments)}: "
            f"{type(error).__name__}: {error}; it takes {inspect.signature(kind)}: give that "
            "under arguments"
        ) from error
