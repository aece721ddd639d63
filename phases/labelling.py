"""The label phase of a driver: every label is on disk as soon as it is there."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from phases.label_journal import LabelJournal
from pools.durable_queue import DurableQueue
from pools.errors import UsageError
from pools.queue_content import content_of, replace
from strategies.identity import identity
from strategies.needed import AbstractQueue


@dataclass(slots=True)
class Labelled:
    """How labelling went.

    Attributes:
        kept: labels that an earlier, interrupted labelling had obtained.
        obtained: labels that were obtained now.
        failed: the samples that were taken from the queue and have no label.
    """

    kept: int = 0
    obtained: int = 0
    failed: list[Any] = field(default_factory=list)


@dataclass(slots=True)
class Labelling:
    """One step's labelling: takes what is known, and watches what the strategy does.

    Attributes:
        journal: every label so far.
        step: the step.
        logger: where it logs.
        result: how it goes.
        lock: held while a label is kept and put.
    """

    journal: LabelJournal
    step: int
    logger: logging.Logger
    result: Labelled = field(default_factory=Labelled)
    _taken: list[tuple[str, Any]] = field(default_factory=list)
    lock: Any = field(default_factory=Lock)  # a strategy may label in threads
    _cannot_keep: bool = False

    def reuse(self, query_queue: AbstractQueue[Any], label_queue: AbstractQueue[Any]) -> None:
        """Move samples whose labels were obtained before from one queue to the other, labelled.

        A run that was rewound may have asked for them in another step.
        """
        known = [*self.journal.labels(since=self.step), *self.journal.spare()]
        if not known:
            return
        asked = {identity_or_none(item) for item in content_of(query_queue)} - {""}
        used: set[str] = set()
        for kept in sorted(known, key=lambda each: each.number):
            if kept.sample in asked - used:
                used.add(kept.sample)
                self.journal.assign(kept.number, self.step)
                label_queue.put(kept.label)
            elif kept.step > self.step:
                pass  # a rewound run may ask for it yet
            elif not kept.sample:
                self.journal.drop(kept.number)  # whose it is cannot be told: it is obtained again
            else:
                self.journal.assign(kept.number, None)
        if used:
            items = content_of(query_queue)
            replace(query_queue, [item for item in items if identity_or_none(item) not in used])
        self.result.kept = len(used)

    def samples(self, queue: AbstractQueue[Any]) -> "WatchedQueue":
        """Return the queue of samples as the strategy gets it."""
        return WatchedQueue(queue, took=self.took)

    def labels(self, queue: AbstractQueue[Any]) -> "WatchedQueue":
        """Return the queue of labels as the strategy gets it: what is put is on disk."""

        def put(label: object, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401
            with self.lock:  # the queue has the journal's order
                self.gave(label)
                queue.put(label, *args, **kwargs)

        return WatchedQueue(queue, put=put)

    def took(self, item: object) -> None:
        """Note that the strategy took a sample."""
        name = identity_or_none(item)
        with self.lock:
            self._taken.append((name, item))

    def gave(self, label: object) -> None:
        """Keep a label, with the sample that it is of where that can be told."""
        sample = self._sample_of(label)
        self.result.obtained += 1
        try:
            self.journal.keep(self.step, sample, label)
        except UsageError as error:
            if not self._cannot_keep:
                self.logger.warning("labels cannot be kept on disk: %s", error)
            self._cannot_keep = True

    def conclude(self, query_queue: AbstractQueue[Any]) -> Labelled:
        """Return how it went; a durable queue learns what became of what was taken from it."""
        self.result.failed = [item for _, item in self._taken]
        if isinstance(query_queue, DurableQueue):
            if self._taken:
                self._fail(query_queue)
            query_queue.settle_taken()
        return self.result

    def _fail(self, query_queue: DurableQueue) -> None:
        failed = {name for name, _ in self._taken}
        taken = query_queue.taken()
        query_queue.fail([t.number for t in taken if identity(t.item) in failed], "no label")

    def _sample_of(self, label: object) -> str:
        """Tell which of the samples that were taken a label is of, and take it off the list."""
        wanted = set(_inside(label, [item for _, item in self._taken]))
        found = [i for i, (each, _) in enumerate(self._taken) if each and each in wanted]
        if not found and len(self._taken) == 1:
            found = [0]
        if len({self._taken[i][0] for i in found}) != 1:
            return ""
        return self._taken.pop(found[0])[0]


class WatchedQueue:
    """A queue with somebody who is told what is taken and who puts; all else is the queue's own.

    Args:
        queue: the queue.
        took: told of each item that is taken.
        put: puts an item, instead of the queue's own `put`.
    """

    def __init__(
        self,
        queue: AbstractQueue[Any],
        *,
        took: Callable[[Any], None] | None = None,
        put: Callable[..., None] | None = None,
    ) -> None:
        self._queue = queue
        self._took = took
        self.put = put or queue.put

    def get(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as the queue's own
        """Take the first item."""
        item = self._queue.get(*args, **kwargs)
        if self._took is not None:
            self._took(item)
        return item

    def empty(self) -> bool:
        """Say whether there is nothing to get."""
        return self._queue.empty()

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the queue has
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self._queue, name)


def count_of(queue: AbstractQueue[Any]) -> int:
    """Return how many items wait on a queue."""
    size = getattr(queue, "qsize", None)
    return int(size()) if callable(size) else len(content_of(queue))


def identity_or_none(item: object) -> str:
    """Return an item's identity; nothing where it has none."""
    try:
        return identity(item)
    except UsageError:
        return ""


def _inside(label: object, samples: list[Any]) -> list[str]:
    """Return the identities of what a label may hold its sample as.

    The sample itself, the first of a tuple, the attribute `sample`, or a mapping with the sample's
    own keys and values.
    """
    parts: list[object] = [label, getattr(label, "sample", None)]
    if isinstance(label, tuple | list) and label:
        parts.append(label[0])
    if isinstance(label, Mapping):
        parts += [
            {key: label[key] for key in sample}
            for sample in samples
            if isinstance(sample, Mapping) and all(key in label for key in sample)
        ]
    return [name for part in parts if part is not None and (name := identity_or_none(part))]
