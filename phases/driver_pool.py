"""A driver's training pool: what is appended to it, and what is appended again after a kill."""

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any

from phases.label_journal import LabelJournal
from pools.errors import UsageError
from surrogates.distribution import Distribution


class DriverPool:
    """The training pool of a run.

    Args:
        pool: the pool as the user gives it; on disk, processes that train together may share it.
        distribution: this process among those.
    """

    def __init__(self, pool: Any, distribution: Distribution) -> None:  # noqa: ANN401 - any pool
        self._pool = pool
        self._distribution = distribution
        self._initial = len(pool)
        self._appended = 0
        self._ahead = 0  # labels of the step to come that it holds already

    def counts(self) -> dict[str, int]:
        """Return how many samples it had at first, and how many were appended."""
        return {"initial": self._initial, "appended": self._appended}

    def append_all(self, labels: Iterable[Any]) -> None:
        """Append labels in order, without those that it holds already."""
        given = list(labels)
        self._extend(given[self._ahead :])
        self._ahead = max(self._ahead - len(given), 0)
        self._appended += len(given)

    def refill(self, counts: Mapping[str, int], journal: LabelJournal, step: int) -> None:
        """Bring the pool to what it was when a checkpoint was written.

        Args:
            counts: what `counts` returned then.
            journal: every label.
            step: the step of the checkpoint: labels of earlier steps belong in the pool.

        Raises:
            UsageError: it is neither as it was at first nor as it was then.
        """
        initial, appended = counts["initial"], counts["appended"]
        found, kept = len(self._pool) - initial, journal.count(before=step)
        self._initial, self._appended = initial, appended
        if 0 <= found < appended and kept >= appended:
            lacking = islice(journal.labels(before=step), found, appended)
            self._extend(kept.label for kept in lacking)
            return
        self._ahead = found - appended
        if not 0 <= self._ahead <= journal.count(before=step + 1) - kept:
            raise UsageError(
                f"train_datapool holds {len(self._pool)} samples, but the run began with "
                f"{initial} and had {initial + appended} when the checkpoint was written (step "
                f"{step}); give the pool as it was at the beginning, or as it was then"
            )

    def _extend(self, labels: Iterable[Any]) -> None:
        """Append labels; where processes share the pool, the first one alone."""

        def append() -> None:
            for label in labels:
                self._pool.append(label)

        before = len(self._pool)
        self._distribution.barrier()  # all have seen its length
        self._distribution.on_first(append)
        if not self._distribution.is_first and len(self._pool) == before:
            append()  # a pool of this process's own
