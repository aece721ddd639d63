"""What the members of a learner say, checked."""

import numpy as np
from numpy.typing import NDArray

from pools.errors import CampaignError, UsageError
from surrogates.prediction import Classifier, Committee, Learner

Array = NDArray[np.float64]

_CLOSE = 1e-3  # probabilities in single precision sum to one within less


def outputs_of(learner: Learner, candidates: Array, name: str) -> Array:
    """Return every member's outputs at the candidates, shape (e, n, outputs).

    Raises:
        UsageError: the learner has no members to ask, or only one; `name` says who asks.
        CampaignError: an output is not finite.
    """
    if not isinstance(learner, Committee):
        raise UsageError(
            f"acquisition {name!r} needs a learner with members(parameters), which "
            f"{type(learner).__name__} lacks; add the method, or query with sbal, random or sobol"
        )
    return _several(_checked(learner.members(candidates), len(candidates), name), name)


def probabilities_of(learner: Learner, candidates: Array, name: str) -> Array:
    """Return every member's probability of each class, shape (e, n, classes).

    Raises:
        UsageError: the learner is no classifier; `name` says who asks.
        CampaignError: one of them is no probability, or a point's do not sum to 1.
    """
    if not isinstance(learner, Classifier):
        raise UsageError(
            f"acquisition {name!r} needs a classifier with class_probabilities(parameters), "
            f"which {type(learner).__name__} lacks; query a regression with sbal, hybrid or lcmd"
        )
    values = _checked(learner.class_probabilities(candidates), len(candidates), name)
    if (values < 0).any() or (np.abs(values.sum(-1) - 1) > _CLOSE).any():
        raise CampaignError(
            f"acquisition {name!r}: the learner's class probabilities go from {values.min():.3g} "
            f"to {values.max():.3g} and sum to {values.sum(-1).min():.3g} or more; each is at "
            "least 0, and those of a point sum to 1: apply a softmax to logits"
        )
    return values


def require_several(members: int, name: str) -> None:
    """Check that there are members to disagree.

    Raises:
        UsageError: there is only one.
    """
    if members < 2:
        raise UsageError(
            f"acquisition {name!r} compares members, but the learner has {members}; set members "
            "to 2 or more, or query with random or sobol"
        )


def _several(values: Array, name: str) -> Array:
    require_several(len(values), name)
    return values


def _checked(values: Array, n: int, name: str) -> Array:
    answers = np.asarray(values, np.float64)
    if answers.ndim != 3 or answers.shape[1] != n:
        raise UsageError(
            f"acquisition {name!r} got answers of shape {answers.shape} for {n} points; return "
            f"one array of shape (members, {n}, values)"
        )
    if bad := np.flatnonzero(~np.isfinite(answers).all((0, 2))).tolist():
        raise CampaignError(
            f"acquisition {name!r}: the learner's members are not finite at {len(bad)} of {n} "
            f"points, first at {bad[0]}; its training diverged: lower its learning rate, or look "
            "for non-finite values in the training pool"
        )
    return answers
