"""Latin hypercube: a batch of which each parameter's values are spread evenly.

[McKay1979] M. D. McKay, R. J. Beckman and W. J. Conover, A comparison of three methods for
selecting values of input variables in the analysis of output from a computer code, Technometrics
21(2), 1979.
"""

import numpy as np
from numpy.typing import NDArray

from strategies.acquisition import Indices, Selection, require_candidates
from surrogates.prediction import Learner

Array = NDArray[np.float64]


def latin_hypercube(
    candidates: Array, _labelled: Array, _learner: Learner, k: int, rng: np.random.Generator
) -> Selection:
    """Choose the candidates nearest to the points of a Latin hypercube [McKay1979].

    Both are compared by rank among the candidates, so that neither the parameters' scales nor
    constraints between them matter.
    """
    n = len(candidates)
    require_candidates(k, n)
    from scipy.stats import qmc, rankdata  # a second to load, which not every process needs

    design = qmc.LatinHypercube(candidates.shape[1], rng=rng).random(k)  # (k, d)
    chosen = _nearest_each(design, (rankdata(candidates, axis=0) - 0.5) / max(n, 1))
    reasons = tuple(f"nearest to point {i} of {k} of a Latin hypercube" for i in range(1, k + 1))
    return Selection(chosen, reasons=reasons)


def _nearest_each(design: Array, places: Array) -> Indices:
    """Return for each point, shape (k, d), the nearest of the places, shape (n, d), not taken."""
    chosen, is_open = np.empty(len(design), np.intp), np.ones(len(places), bool)
    for i, point in enumerate(design):
        distances = np.square(places - point).sum(-1)  # (n,)
        chosen[i] = np.where(is_open, distances, np.inf).argmin()
        is_open[chosen[i]] = False
    return chosen
