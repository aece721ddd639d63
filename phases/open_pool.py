"""The unlabeled pool of a driver as its strategies see it: without what was asked for already."""

from collections.abc import Callable, Collection, Iterator
from typing import Any

from pools.errors import UsageError
from strategies.identity import identity


class OpenPool:
    """The samples of a pool that nobody has asked for; all else is the pool's own.

    A pool that a strategy depletes itself stays as it is. Which samples are left is found by their
    content, once for each sample while the pool's length stays the same.

    Args:
        pool: the whole pool.
    """

    def __init__(self, pool: Any) -> None:  # noqa: ANN401 - any pool
        self._pool = pool
        self._closed: Callable[[], Collection[str]] | None = None
        self._asked: frozenset[str] = frozenset()
        self._identities: list[str] = []
        self._open: list[int] | None = None

    def close(self, asked: Callable[[], Collection[str]]) -> None:
        """Leave out the samples of these identities, which are asked for when somebody looks."""
        self._closed = asked

    def __len__(self) -> int:
        """Return how many samples are open."""
        return len(self._indices())

    def __getitem__(self, index: Any) -> Any:  # noqa: ANN401 - any pool
        """Return the open sample at this place; several for a list or a slice of places."""
        places = self._indices()
        if isinstance(index, slice):
            return [self._pool[i] for i in places[index]]
        if isinstance(index, list | tuple):
            return [self._pool[places[int(i)]] for i in index]
        return self._pool[places[int(index)]]

    def __iter__(self) -> Iterator[Any]:
        """Iterate over the open samples."""
        return (self._pool[i] for i in self._indices())

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the pool has
        if name.startswith("__"):  # what Python asks for itself would see the whole pool
            raise AttributeError(name)
        return getattr(self._pool, name)

    def _indices(self) -> list[int]:
        if self._closed is not None:
            self._asked, self._open, self._closed = frozenset(self._closed()), None, None
        if not self._asked:
            return list(range(len(self._pool)))
        if self._open is None or len(self._identities) != len(self._pool):
            if len(self._identities) != len(self._pool):
                self._identities = [_identity(self._pool[i]) for i in range(len(self._pool))]
            known = enumerate(self._identities)
            self._open = [i for i, each in known if each not in self._asked]
        return self._open


def _identity(item: object) -> str:
    try:
        return identity(item)
    except UsageError:
        return f"object {id(item)}"
