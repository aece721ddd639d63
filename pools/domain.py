"""The points of a parameter space that meet its constraints, and the draws from them.

[Sobol1967] I. M. Sobol', On the distribution of points in a cube, 1967.
[McKay1979] M. D. McKay et al., A comparison of three methods, Technometrics 21(2), 1979.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice, repeat

import numpy as np
from numpy.typing import NDArray

from pools.constraint import Constraint
from pools.distinct import first_of_each
from pools.errors import UsageError
from pools.space import ParameterSpace

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

_BLOCK = 1 << 16  # points drawn at once
_RAREST = 10_000  # one point in so many must meet the constraints
_TRIED = 1 << 14  # points that the share is measured on
_NEAR = 1 << 10  # points among which the nearest to another is looked for
_SMALL = 1 << 18  # points of a space that is looked at whole
_MOST = 1 << 26  # points looked at, before a draw ends with fewer than it was asked for


@dataclass(frozen=True, slots=True)
class Domain:
    """Where a campaign may ask: the box of its parameters, as far as the constraints are met.

    Attributes:
        space: the box.
        constraints: what a point must meet, all of it.
    """

    space: ParameterSpace
    constraints: tuple[Constraint, ...] = ()

    @classmethod
    def of(cls, space: ParameterSpace, constraints: Sequence[str] = ()) -> "Domain":
        """Return the points of a box that meet constraints.

        Raises:
            UsageError: one is no comparison of parameters, or too few points meet all of them.
        """
        read = tuple(Constraint.of(text) for text in constraints)
        for constraint in read:
            if unknown := constraint.names - set(space.names):
                raise UsageError(
                    f"the constraint {constraint.text!r} needs {', '.join(sorted(unknown))}, "
                    f"which is no parameter; parameters are {', '.join(space.names)}"
                )
        domain = cls(space, read)
        domain._check_share()
        return domain

    @property
    def names(self) -> tuple[str, ...]:
        """The parameters' names, in the order of every array's columns."""
        return self.space.names

    def met(self, rows: Array) -> Mask:
        """Say which points, shape (n, d), meet every constraint; shape (n,)."""
        columns = dict(zip(self.names, rows.T, strict=True))
        met = np.ones(len(rows), np.bool_)
        for constraint in self.constraints:
            met &= constraint.met(columns)
        return met

    @property
    def count(self) -> int | None:
        """The number of points; None where a parameter is real, or it takes too long to count."""
        return int(np.count_nonzero(self.met(self.space.grid()))) if self._is_small else None

    def sobol(self, n: int, seed: int, *, skip: int = 0, others: Array | None = None) -> Array:
        """Draw `n` points of a scrambled Sobol' sequence [Sobol1967] without those beyond.

        Where no parameter is real, no point comes twice, and what the sequence has not met after
        long is appended to it; there are fewer than `n` points where there are no more.

        Args:
            n: how many points.
            seed: seed of the scrambling; the same seed continues the same sequence.
            skip: how many of these points were used before.
            others: points to pass over where no parameter is real, shape (m, d).

        Returns:
            Shape (n, d).
        """
        if not self.constraints and self.space.count is None:
            return self.space.sobol(n, seed, skip=skip)
        if self.space.count is None:
            return self._first(skip + n, self.space.sobol_blocks(seed, _block(skip + n)))[skip:]
        gone = np.empty((0, self.space.d)) if others is None else others
        return self._first(skip + n, self._sequence(seed, _block(skip + n)), gone)[skip:]

    def latin_hypercube(self, n: int, seed: int) -> Array:
        """Draw `n` points of a Latin hypercube design [McKay1979], shape (n, d).

        With constraints it is what meets them of the smallest of designs, each twice the one
        before, in which enough do.
        """
        size, rows = max(n, 1), self.space.latin_hypercube(n, seed)
        while np.count_nonzero(met := self.met(rows)) < n:
            size *= 2
            rows = self.space.latin_hypercube(size, seed)
        return rows[met][:n]

    def uniform(self, n: int, rng: np.random.Generator) -> Array:
        """Draw `n` independent points, uniform over each parameter's scale, shape (n, d)."""
        if not self.constraints:
            return self.space.uniform(n, rng)
        return self._first(n, (self.space.uniform(_block(n), rng) for _ in repeat(None)))

    def nearest(self, targets: Array) -> Array:
        """Return points that meet the constraints, near these of the unit cube, both of (k, d).

        Each target itself where it meets them, else the nearest of some that do.
        """
        rows = self.space.denormalise(targets)  # (k, d)
        if np.all(met := self.met(rows)):
            return rows
        known = self.sobol(_NEAR, seed=0)
        apart = targets[:, None] - self.space.normalise(known)[None]  # (k, near, d)
        closest = np.argmin(np.linalg.norm(apart, axis=-1), axis=1)
        return np.where(met[:, None], rows, known[closest])

    def as_row(self, parameters: dict[str, float]) -> Array:
        """Return named values as one row in column order, shape (d,).

        Raises:
            ValueError: a name is missing or unknown, a value lies outside its bounds, or a
                constraint is not met.
        """
        row = self.space.as_row(parameters)
        self.check(parameters)
        return row

    def check(self, point: Mapping[str, float]) -> None:
        """Look whether a point meets the constraints, and has values that its parameters take.

        Raises:
            ValueError: it does not.
        """
        if missing := set(self.names) - set(point):
            raise ValueError(f"missing {sorted(missing)}; give all of {list(self.names)}")
        for name, parameter in self.space.root.items():
            if parameter.type != "real":
                parameter.check(point[name], name)
        columns = {name: np.array([value], np.float64) for name, value in point.items()}
        for constraint in self.constraints:
            if not constraint.met(columns).all():
                values = (f"{name} = {point[name]:.6g}" for name in sorted(constraint.names))
                raise ValueError(
                    f"{', '.join(values)} does not meet the constraint {constraint.text}: "
                    f"{constraint.at(point)} is not so"
                )

    @property
    def _is_small(self) -> bool:
        return self.space.count is not None and self.space.count <= _SMALL

    def _sequence(self, seed: int, size: int) -> Iterator[Array]:
        """Draw the blocks of the Sobol' sequence; in a small space then all that there is."""
        blocks = self.space.sobol_blocks(seed, size)
        if not self._is_small:
            return blocks
        enough = -(-4 * len(grid := self.space.grid()) // size)  # most points came by then
        return chain(islice(blocks, enough), [grid])

    def _first(self, n: int, blocks: Iterator[Array], gone: Array | None = None) -> Array:
        """Return the first `n` points of blocks that meet the constraints, shape (n, d).

        Args:
            n: how many; fewer if there are no more.
            blocks: points, each block of shape (size, d).
            gone: points that are passed over, shape (m, d); then each comes only once.
        """
        found, looked_at = np.empty((0, self.space.d)), 0
        for block in blocks:
            found = np.concatenate([found, block[self.met(block)]])
            found = found if gone is None else first_of_each(found, gone)
            looked_at += len(block)
            if len(found) >= n or looked_at >= _MOST:
                break
        return found[:n]

    def _check_share(self) -> None:
        """Refuse constraints that hardly any point meets: draws would hardly end."""
        if not self.constraints:
            return
        rows = self.space.grid() if self._is_small else self.space.sobol(_TRIED, seed=0)
        if np.mean(self.met(rows)) * _RAREST >= 1:
            return
        few = np.count_nonzero(self.met(rows))
        shares = (f"{each.text}: {share:.2%}" for each, share in self._shares(rows))
        raise UsageError(
            f"{few} of {len(rows)} points of the parameters' box meet "
            f"the constraints, fewer than 1 in {_RAREST} ({'; '.join(shares)}); narrow the "
            "parameters' bounds to where they are met, or loosen them"
        )

    def _shares(self, rows: Array) -> Iterator[tuple[Constraint, float]]:
        columns = dict(zip(self.names, rows.T, strict=True))
        for constraint in self.constraints:
            yield constraint, float(np.mean(constraint.met(columns)))


def _block(n: int) -> int:
    """Return a power of two, at least `n` where that is not too many: how many to draw at once."""
    return min(1 << max(n - 1, 1).bit_length(), _BLOCK)
