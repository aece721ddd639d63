"""A batch shared by several acquisitions, such as 60 % by uncertainty and 40 % at random."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pools.errors import UsageError
from strategies.acquisition import Acquisition, Selection, checked, require_candidates
from strategies.shares import split
from surrogates.prediction import Learner

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Part:
    """An acquisition, and its share of a batch relative to the other parts' shares."""

    acquisition: Acquisition
    share: float


@dataclass(frozen=True, slots=True)
class Mix:
    """An `Acquisition`: each part in turn chooses its share of what the ones before left.

    What is chosen already counts as labelled. The scores are those of the first part; the chances
    are told where every part tells them.

    Attributes:
        parts: by name, for the reasons.
    """

    parts: Mapping[str, Part]

    def __post_init__(self) -> None:
        if not self.parts or not all(part.share > 0 for part in self.parts.values()):
            raise UsageError(
                f"a mix was given the shares {[p.share for p in self.parts.values()]}; give at "
                "least one part, and each a share above zero"
            )

    def __call__(
        self,
        candidates: Array,
        labelled: Array,
        learner: Learner,
        k: int,
        rng: np.random.Generator,
    ) -> Selection:
        """Choose `k` of the candidates.

        Raises:
            UsageError: too few candidates, or what a part raises.
        """
        require_candidates(k, len(candidates))
        left = np.arange(len(candidates))
        done: list[Selection] = []
        counts = split(k, [part.share for part in self.parts.values()])
        for (name, part), count in zip(self.parts.items(), counts, strict=True):
            picked = candidates[np.setdiff1d(np.arange(len(candidates)), left)]
            known = np.concatenate([labelled, picked])
            selection = part.acquisition(candidates[left], known, learner, count, rng)
            done.append(_told(checked(selection, count, len(left), name), left, name))
            left = np.setdiff1d(left, done[-1].indices)
        return _joined(done)


def _told(selection: Selection, left: NDArray[np.intp], name: str) -> Selection:
    """Return a part's selection in the numbers of all candidates, with its name in the reasons."""
    reasons = selection.reasons or ("",) * len(selection.indices)
    told = tuple(f"{name}: {reason}" if reason else name for reason in reasons)
    return Selection(left[selection.indices], selection.scores, selection.probabilities, told)


def _joined(parts: list[Selection]) -> Selection:
    chances = [part.probabilities for part in parts if part.probabilities is not None]
    return Selection(
        indices=np.concatenate([part.indices for part in parts]),
        scores=parts[0].scores,
        probabilities=np.concatenate(chances) if len(chances) == len(parts) else None,
        reasons=tuple(reason for part in parts for reason in part.reasons),
    )
