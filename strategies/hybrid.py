"""The hybrid: a batch that differs in itself, by uncertainty, feasibility and cost.

Either all candidates are compared and the weights count in their distances, or a shortlist is
drawn by the weights and its distances count alike. The corners are published methods: a shortlist
of the batch's size is SBAL [Musekamp2024], and with a large exponent top-K; the whole pool with
exponent zero is LCMD-TP [Holzmueller2023].

[Musekamp2024] D. Musekamp et al., Active learning for neural PDE solvers (AL4PDE),
arXiv:2408.01536, 2024.
[Holzmueller2023] D. Holzmüller, V. Zaverkin, J. Kästner and I. Steinwart, A framework and
benchmark for deep batch active learning for regression, JMLR 24(164), 2023.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pools.errors import UsageError
from strategies.acquisition import Indices, Selection, require_candidates, spread
from strategies.clustering import largest_cluster_picks
from strategies.cover import Features
from strategies.features import features_of
from strategies.lcmd import cluster_reasons
from strategies.sbal import gumbel_top_k, inclusion_probabilities, log_weights
from strategies.scores import ranked_reasons
from strategies.solvable import Estimator, chances, require_feasible, seconds
from surrogates.prediction import FeatureKind, Learner

Array = NDArray[np.float64]

NAME = "hybrid"

_LOWEST = 0.25  # feasibility below which nothing is drawn, whatever is left


@dataclass(frozen=True, slots=True, eq=False)
class Weights:
    """How much each candidate counts, in the draw or in the distances.

    Attributes:
        logs: logarithms of the weights up to a constant, shape (n,).
        feasible: which candidates may be drawn, in ascending order.
        variances: of the learner, shape (n,); None where the exponent is zero.
        likely: probability that the solver succeeds, shape (n,); None where it is not estimated.
        cost: seconds that the solver is expected to take, shape (n,); None where it is ignored.
    """

    logs: Array
    feasible: Indices
    variances: Array | None
    likely: Array | None
    cost: Array | None

    def relative(self, which: Indices) -> Features:
        """Return the weights of some candidates over the largest of them; 1 where all are zero."""
        logs = self.logs[which]
        if not np.isfinite(logs.max()):
            return np.ones(len(logs), np.float32)
        weights: Features = np.exp(logs - logs.max()).astype(np.float32)
        return weights

    def reasons(self, chosen: Indices) -> list[str]:
        """Say of each chosen candidate what its weight was made of."""
        told: list[Sequence[str]] = []
        if self.variances is not None:
            told.append(ranked_reasons(self.variances, chosen, "variance"))
        if self.likely is not None:
            told.append([f"{p:.2g} likely to be solved" for p in self.likely[chosen]])
        if self.cost is not None:
            told.append([f"{s:.3g} s expected" for s in self.cost[chosen]])
        return _joined(len(chosen), told)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hybrid:
    """An `Acquisition`: LCMD, with weights of variance ** beta x feasibility / cost ** alpha.

    Of the whole pool, weights multiply the squared distances, and nothing is drawn. Else
    `shortlist` x k candidates are drawn by weight, without replacement, and LCMD chooses k of them
    by distance alone.

    Attributes:
        shortlist: candidates drawn per sample asked for, at least 1; infinity is the whole pool.
        beta: exponent of the variance; 0 asks the learner for none.
        alpha: exponent of the cost; 0 ignores it.
        feasibility: probability that the solver succeeds, shape (n, d) to (n,); None is 1.
        cost: seconds that the solver is expected to take, likewise; None is equal cost.
        floor: candidates of a lower feasibility are not drawn while enough others are left.
        features: what the diversity of the batch is measured in.
    """

    shortlist: float = math.inf
    beta: float = 0.5
    alpha: float = 0.0
    feasibility: Estimator | None = None
    cost: Estimator | None = None
    floor: float = 0.75
    features: FeatureKind = "gradients"

    def __post_init__(self) -> None:
        if not self.shortlist >= 1:
            raise UsageError(
                f"the hybrid's shortlist is {self.shortlist}; it is how many candidates are drawn "
                "per sample asked for: at least 1, or infinity for the whole pool"
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
            UsageError: too few candidates, or the learner lacks spread or features.
            CampaignError: too few feasible candidates, or something is not finite.
        """
        require_candidates(k, len(candidates))
        weights = self._weights(candidates, learner, k)
        require_feasible(k, len(weights.feasible), len(candidates), self._lowest, NAME)
        drawn, odds = self._drawn(weights, k, rng)
        if odds is not None and len(drawn) == k:
            return Selection(drawn, weights.variances, odds, tuple(weights.reasons(drawn)))
        both = features_of(learner, candidates[drawn], labelled, self.features, NAME)
        counted = weights.relative(drawn) if odds is None else None
        picks = largest_cluster_picks(*both, k, counted)
        chosen, told = drawn[picks.indices], [cluster_reasons(picks)]
        if odds is not None:
            told.append(tuple(f"chance of the shortlist {p:.2g}" for p in odds[picks.indices]))
        reasons = _joined(k, [weights.reasons(chosen), *told])
        return Selection(chosen, weights.variances, reasons=tuple(reasons))

    def _weights(self, candidates: Array, learner: Learner, k: int) -> Weights:
        """Weigh the candidates; constant factors are left out, as they change no draw."""
        logs, feasible = np.zeros(len(candidates)), np.arange(len(candidates))
        variances = likely = cost = None
        if self.beta != 0:
            variances = spread(learner, candidates, NAME)
            logs = log_weights(variances, self.beta)
        if self.feasibility is not None:
            likely = chances(self.feasibility, candidates, NAME)
            feasible = self._feasible(likely, k)
            logs = logs + np.log(np.maximum(likely, np.finfo(float).tiny))
        if self.cost is not None and self.alpha != 0:
            cost = seconds(self.cost, candidates, NAME)
            logs = logs - self.alpha * np.log(cost)
        return Weights(logs, feasible, variances, likely, cost)

    @property
    def _lowest(self) -> float:
        return min(self.floor, _LOWEST)

    def _feasible(self, likely: Array, k: int) -> Indices:
        """Return what is above the floor; where that is too little, what is not hopeless."""
        above = np.flatnonzero((likely >= self.floor) & (likely > 0))
        if len(above) >= k:
            return above
        return np.flatnonzero((likely >= self._lowest) & (likely > 0))

    def _drawn(
        self, weights: Weights, k: int, rng: np.random.Generator
    ) -> tuple[Indices, Array | None]:
        """Draw the shortlist, and each one's chance to be on it; None where nothing is drawn."""
        pool = weights.feasible
        if math.isinf(self.shortlist):
            return pool, None
        size = min(math.ceil(self.shortlist * k), len(pool))
        logs = weights.logs[pool]
        drawn = gumbel_top_k(logs, size, rng)
        return pool[drawn], inclusion_probabilities(logs, size)[drawn]


def _joined(k: int, told: Sequence[Sequence[str]]) -> list[str]:
    """Join what is told of each of `k` picks, leaving out what is empty."""
    return ["; ".join(filter(None, (each[i] for each in told))) for i in range(k)]
