"""Entropy: what a classifier is least sure of, or what its members disagree on.

[Shannon1948] C. E. Shannon, A mathematical theory of communication, Bell System Technical Journal
27, 1948.
[Settles2009] B. Settles, Active learning literature survey, Computer Sciences Technical Report
1648, University of Wisconsin-Madison, 2009.
[Houlsby2011] N. Houlsby, F. Huszár, Z. Ghahramani and M. Lengyel, Bayesian active learning for
classification and preference learning (BALD), arXiv:1112.5745, 2011.
"""

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import entr

from strategies.acquisition import Selection, require_candidates
from strategies.committee import probabilities_of, require_several
from strategies.scores import largest, ranked_reasons
from surrogates.prediction import Learner

Array = NDArray[np.float64]

EntropyMeasure = Literal["predictive", "information"]


def entropy(
    candidates: Array,
    _labelled: Array,
    learner: Learner,
    k: int,
    _rng: np.random.Generator,
    *,
    measure: EntropyMeasure = "predictive",
) -> Selection:
    """Choose by entropy [Shannon1948] of the mean prediction [Settles2009]; ties by position.

    With `information`, by what an answer tells of the members [Houlsby2011]: noise, of which all
    are equally unsure, does not count.
    """
    n = len(candidates)
    require_candidates(k, n)
    probabilities = probabilities_of(learner, candidates, "entropy")
    scores = predictive_entropy(probabilities)
    if measure == "information":
        require_several(len(probabilities), "entropy")
        scores = mutual_information(probabilities)
    chosen = largest(scores, k)
    what = "entropy" if measure == "predictive" else "mutual information"
    return Selection(chosen, scores, reasons=ranked_reasons(scores, chosen, what))


def predictive_entropy(probabilities: Array) -> Array:
    """Return the entropy of the members' mean, in nats, shape (e, n, classes) to (n,)."""
    values: Array = entr(probabilities.mean(0)).sum(-1)
    return values


def mutual_information(probabilities: Array) -> Array:
    """Return entropy of the mean less mean of the entropies, shape (e, n, classes) to (n,)."""
    expected = entr(probabilities).sum(-1).mean(0)
    information: Array = np.maximum(predictive_entropy(probabilities) - expected, 0)
    return information
