"""Query by committee: where the members of the learner disagree.

[Seung1992] H. S. Seung, M. Opper and H. Sompolinsky, Query by committee, COLT 1992.
[Dagan1995] I. Dagan and S. P. Engelson, Committee-based sampling for training probabilistic
classifiers, ICML 1995.
[Burbidge2007] R. Burbidge, J. J. Rowland and R. D. King, Active learning for regression based on
query by committee, IDEAL 2007.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.special import entr

from strategies.acquisition import Selection, require_candidates
from strategies.committee import outputs_of, probabilities_of, require_several
from strategies.scores import largest, ranked_reasons
from surrogates.prediction import Classifier, Learner

Array = NDArray[np.float64]

_NAME = "query_by_committee"


def query_by_committee(
    candidates: Array, _labelled: Array, learner: Learner, k: int, _rng: np.random.Generator
) -> Selection:
    """Choose what members disagree on most [Seung1992]; ties by position.

    Classes are voted on; of a regression's normalised outputs the variance counts.
    """
    require_candidates(k, len(candidates))
    if isinstance(learner, Classifier):
        votes = probabilities_of(learner, candidates, _NAME)
        require_several(len(votes), _NAME)
        scores, what = vote_entropy(votes), "vote entropy"
    else:
        scores, what = disagreement(outputs_of(learner, candidates, _NAME)), "disagreement"
    chosen = largest(scores, k)
    return Selection(chosen, scores, reasons=ranked_reasons(scores, chosen, what))


def disagreement(outputs: Array) -> Array:
    """Return the members' variance, mean over outputs [Burbidge2007], (e, n, outputs) to (n,)."""
    variances: Array = outputs.var(0, ddof=1).mean(-1)
    return variances


def vote_entropy(probabilities: Array) -> Array:
    """Return the entropy of the members' votes [Dagan1995], (e, n, classes) to (n,)."""
    votes = probabilities.argmax(-1)  # (e, n)
    classes = np.arange(probabilities.shape[-1])
    shares = (votes[:, :, np.newaxis] == classes).mean(0)  # (n, classes)
    values: Array = entr(shares).sum(-1)
    return values
