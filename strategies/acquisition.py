"""What an acquisition is: a pure function that chooses among candidates, and what it answers."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from pools.errors import CampaignError, UsageError
from surrogates.prediction import Learner

Array = NDArray[np.float64]
Indices = NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class Selection:
    """The `k` candidates that an acquisition chose, best or first drawn first.

    Attributes:
        indices: which candidates, shape (k,).
        scores: of every candidate, higher is more wanted, shape (n,); None without scores.
        probabilities: chance that each chosen candidate had, shape (k,); None without a draw.
        reasons: why each was chosen, in words; k of them, or none.
    """

    indices: Indices
    scores: Array | None = None
    probabilities: Array | None = None
    reasons: tuple[str, ...] = ()


class Acquisition(Protocol):
    """Chooses `k` of the candidates. Any function with these arguments is one."""

    def __call__(
        self,
        candidates: Array,
        labelled: Array,
        learner: Learner,
        k: int,
        rng: np.random.Generator,
        /,
    ) -> Selection:
        """Choose.

        Args:
            candidates: points that may be asked for, in their own units, shape (n, d).
            labelled: points that have their solution, likewise, shape (m, d).
            learner: the surrogate.
            k: how many to choose.
            rng: the only source of random numbers.

        Raises:
            UsageError: there are fewer candidates than `k`, or the learner has no spread.
            CampaignError: the learner's scores are not finite.
        """
        ...


def require_candidates(k: int, n: int) -> None:
    """Check that `k` samples can be chosen from `n` candidates.

    Raises:
        UsageError: they cannot.
    """
    if k > n:
        raise UsageError(
            f"asked for {k} samples but {n} candidates are left; enlarge the pool or lower "
            "samples_per_step"
        )


def spread(learner: Learner, candidates: Array, name: str) -> Array:
    """Return the learner's variance at each candidate, shape (n,), checked.

    Args:
        learner: the surrogate.
        candidates: points, shape (n, d).
        name: which acquisition asks, for errors.

    Raises:
        CampaignError: a variance is not finite, or negative.
        UsageError: the learner has no spread, as an ensemble of one member.
    """
    if not isinstance(learner, Learner):  # whatever a driver was given
        raise UsageError(
            f"acquisition {name!r} needs a learner with predict and uncertainty(parameters), "
            f"which {type(learner).__name__} lacks; add them, or query with random or sobol"
        )
    n, what = len(candidates), f"acquisition {name!r}: the learner's uncertainty"
    scores = np.asarray(learner.uncertainty(candidates), np.float64)
    if scores.shape != (n,):
        raise UsageError(
            f"{what} has shape {scores.shape} for {n} candidates; return one variance per "
            f"candidate, shape ({n},)"
        )
    _check_variances(scores, what)
    if n and not scores.any():
        raise UsageError(
            f"{what} is zero at all {n} candidates, as that of an ensemble of one; set members to "
            "2 or more, or query with random or sobol"
        )
    return scores


def checked(selection: Selection, k: int, n: int, name: str) -> Selection:
    """Return the selection if it holds `k` distinct candidates of `n`.

    Raises:
        UsageError: it does not; `name` says whose it is.
    """
    chosen = np.asarray(selection.indices)
    if chosen.shape != (k,) or len(np.unique(chosen)) != k:
        raise UsageError(
            f"acquisition {name!r} chose {len(np.unique(chosen))} distinct candidates in an array "
            f"of shape {chosen.shape}; it was asked for {k}: return each index once, shape ({k},)"
        )
    if outside := [index for index in chosen.tolist() if not 0 <= index < n]:
        raise UsageError(
            f"acquisition {name!r} chose candidate {outside[0]}; the candidates are 0 to {n - 1}"
        )
    return selection


def _check_variances(scores: Array, what: str) -> None:
    bad = ~np.isfinite(scores) | (scores < 0)
    if bad.any():
        first = int(np.flatnonzero(bad)[0])
        raise CampaignError(
            f"{what} is {scores[first]} at candidate {first} ({bad.sum()} of {len(scores)} are "
            "not finite variances); its training diverged: lower its learning rate, or look for "
            "non-finite values in the training pool"
        )
