"""Who chooses, who labels, who measures, and what they pass each other."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from pools.durable_queue import DurableQueue
from pools.errors import UsageError
from strategies.arguments import arguments_of, class_named, made_again, to_json
from strategies.requirements import LABEL, METROLOGY, QUERY, QUEUE, READ_POOL, Requirement, require


@dataclass(frozen=True)
class StrategiesConfig:
    """The strategies of a driver.

    Attributes:
        query_strategies: who chooses, in this order; they share the query queue.
        queue_cls: makes a queue, without arguments. The default keeps its items on disk.
        label_strategy: who labels; None where labelling is skipped.
        metrology_strategies: who measures; none if None.
        unlabeled_datapool: the samples to choose from, where there are such.
    """

    query_strategies: Sequence[Any]
    queue_cls: Callable[..., Any] = DurableQueue
    label_strategy: Any = None
    metrology_strategies: Sequence[Any] | None = None
    unlabeled_datapool: Any = None
    _kinds: Mapping[str, Requirement] = field(
        default_factory=lambda: {"query_strategies": QUERY, "metrology_strategies": METROLOGY},
        init=False,
        repr=False,
        compare=False,
    )

    def __post_init__(self) -> None:
        for name, needed in self._kinds.items():
            object.__setattr__(self, name, _list(getattr(self, name), name))
            for place, strategy in enumerate(getattr(self, name)):
                require(strategy, needed, f"{name}[{place}]")
        if not self.query_strategies:
            raise UsageError(
                "query_strategies is empty; give at least one. For example:\n" + QUERY.example
            )
        if self.label_strategy is not None:
            require(self.label_strategy, LABEL, "label_strategy")
        if self.unlabeled_datapool is not None:
            require(self.unlabeled_datapool, READ_POOL, "unlabeled_datapool")
        if isinstance(self.queue_cls, type):
            require(self.queue_cls, QUEUE, "queue_cls")

    @property
    def all(self) -> list[Any]:
        """Every strategy: query, label, metrology."""
        label = [] if self.label_strategy is None else [self.label_strategy]
        return [*self.query_strategies, *label, *(self.metrology_strategies or ())]

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON; a strategy whose arguments have none is None, and the pool is out."""
        label = self.label_strategy
        return {
            "query_strategies": [_written(each) for each in self.query_strategies],
            "queue_cls": {
                "__name__": getattr(self.queue_cls, "__qualname__", ""),
                "__module__": getattr(self.queue_cls, "__module__", ""),
            },
            "label_strategy": None if label is None else _written(label),
            "has_label_strategy": label is not None,
            "metrology_strategies": [_written(m) for m in self.metrology_strategies or ()],
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], **given: Any) -> Self:  # noqa: ANN401
        """Make it from what `to_dict` returned.

        Args:
            data: what `to_dict` returned.
            given: what it does not hold, and what shall differ.

        Raises:
            UsageError: a strategy cannot be made again.
        """
        known: dict[str, Any] = {}
        for name, member in (("query_strategies", "sample"), ("metrology_strategies", "compute")):
            if name not in given:
                known[name] = [_made(each, member, name) for each in data[name]]
        if "label_strategy" not in given and data["has_label_strategy"]:
            known["label_strategy"] = _made(data["label_strategy"], "label", "label_strategy")
        if "queue_cls" not in given:
            queue = data["queue_cls"]
            known["queue_cls"] = class_named(queue["__name__"], queue["__module__"], QUEUE.members)
            if known["queue_cls"] is None:
                raise UsageError(
                    f"{queue} is no queue that this program has imported; give queue_cls"
                )
        return cls(**{**known, **given})


def _list(strategies: Any, name: str) -> list[Any]:  # noqa: ANN401 - whatever was given
    if strategies is None:
        return []
    if not isinstance(strategies, Iterable):
        raise UsageError(
            f"{name} is a {type(strategies).__name__}; give a list, even of one: {name}=["
            f"{type(strategies).__name__}(...)]"
        )
    return list(strategies)


def _written(strategy: object) -> dict[str, Any] | None:
    return to_json(arguments_of(strategy))


def _made(arguments: Mapping[str, Any] | None, member: str, place: str) -> Any:  # noqa: ANN401
    if arguments is None:
        raise UsageError(
            f"the arguments of a strategy in {place} have no JSON, so it is not in the "
            f"checkpoint; give {place}"
        )
    return made_again(arguments, [member], place)
