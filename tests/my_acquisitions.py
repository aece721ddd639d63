"""A user's acquisitions, good and bad, for the tests of `kind: callable`."""

import numpy as np

from strategies.acquisition import Array, Selection
from surrogates.prediction import Learner

number = 3


def every_other(
    candidates: Array,
    _labelled: Array,
    _learner: Learner,
    k: int,
    _rng: np.random.Generator,
    *,
    stride: int = 1,
) -> Selection:
    return Selection(np.arange(len(candidates))[::stride][:k], reasons=("as it stands",) * k)


def every_other_of(
    candidates: Array, labelled: Array, learner: Learner, k: int, rng: np.random.Generator
) -> Selection:
    return every_other(candidates, labelled, learner, k, rng)


def repeating(
    _candidates: Array, _labelled: Array, _learner: Learner, k: int, _rng: np.random.Generator
) -> Selection:
    return Selection(np.zeros(k, np.intp))


def two_arguments(_candidates: Array, k: int) -> Selection:
    return Selection(np.arange(k))
