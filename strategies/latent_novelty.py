"""Latent novelty: what looks to the network like nothing that it has learnt.

[Janet2019] J. P. Janet, C. Duan, T. Yang, A. Nandy and H. J. Kulik, A quantitative uncertainty
metric controls error in neural network-driven chemical discovery, Chemical Science 10, 2019.
"""

import numpy as np
from numpy.typing import NDArray

from strategies.acquisition import Selection, require_candidates
from strategies.core_set import farthest_picks, farthest_reasons
from strategies.features import features_of
from surrogates.prediction import FeatureKind, Learner

Array = NDArray[np.float64]

_KIND: FeatureKind = "latent"


def latent_novelty(
    candidates: Array, labelled: Array, learner: Learner, k: int, _rng: np.random.Generator
) -> Selection:
    """Choose by distance to the nearest labelled point in the latent space [Janet2019].

    What is chosen counts as labelled for the next choice, so that a batch is no cluster. The score
    is the distance before any choice; there is none while nothing is labelled.
    """
    require_candidates(k, len(candidates))
    both = features_of(learner, candidates, labelled, _KIND, "latent_novelty")
    picks = farthest_picks(*both, k)
    scores = picks.before if len(labelled) else None
    return Selection(picks.indices, scores, reasons=farthest_reasons(picks, _KIND))
