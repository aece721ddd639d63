"""The solver's seconds at a point, learnt from what the tried samples took.

[Duan1983] N. Duan, Smearing estimate: a nonparametric retransformation method, Journal of the
American Statistical Association 78(383), 1983.
[Snoek2012] J. Snoek, H. Larochelle and R. P. Adams, Practical Bayesian optimization of machine
learning algorithms, NeurIPS 2012.
"""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler

from pools.outcomes import Outcomes
from pools.space import ParameterSpace

Array = NDArray[np.float64]
Kind = Literal["ridge", "boosting"]

FEWEST_SAMPLES = 8
"""Fewer say nothing of where it is dear: every point then costs the median."""
_FOLDS = 5
_LEAST_SECONDS = 1e-6  # what took no time has no logarithm
_KINDS: tuple[Kind, ...] = ("ridge", "boosting")


@dataclass(frozen=True, slots=True, eq=False)
class ExpectedCost:
    """Seconds by regression of their logarithm [Snoek2012].

    Attributes:
        space: the parameters.
        median: of what the tried samples took; 1 before any was tried.
        regressor: of log seconds over the unit cube; None where too few were tried.
        smearing: mean of the errors' exponentials, from log seconds to seconds [Duan1983].
        logs: smallest and largest log seconds seen, beyond which nothing is predicted.
    """

    space: ParameterSpace
    median: float
    regressor: Any = None  # scikit-learn ships no types
    smearing: float = 1.0
    logs: tuple[float, float] = (0.0, 0.0)

    def __call__(self, parameters: Array) -> Array:
        """Return expected seconds at points in their own units, shape (n, d) to (n,)."""
        if self.regressor is None or not len(parameters):
            return np.full(len(parameters), self.median)
        logs = np.clip(self.regressor.predict(self.space.normalise(parameters)), *self.logs)
        seconds: Array = self.smearing * np.exp(logs)
        return seconds


@dataclass(frozen=True, slots=True)
class CostQuality:
    """How good the seconds are at samples that were left out.

    Attributes:
        samples: how many were tried.
        kind: which regression was better.
        r2: share of the variance of log seconds that it explains; 0 is as good as the mean.
        median_relative_error: of seconds, as a fraction.
    """

    samples: int
    kind: Kind
    r2: float
    median_relative_error: float


def fit_cost(space: ParameterSpace, outcomes: Outcomes, seed: int) -> ExpectedCost:
    """Learn what the solver takes where; the same everywhere, until enough samples were tried.

    Failed tries count: whoever asks there pays for them.

    Args:
        space: the parameters.
        outcomes: what the tried samples took.
        seed: of the folds, by which the better regression is chosen.
    """
    if len(outcomes) < FEWEST_SAMPLES:
        return ExpectedCost(space, float(np.median(outcomes.seconds)) if len(outcomes) else 1.0)
    cube, logs = space.normalise(outcomes.parameters), _logs(outcomes)
    kind, left_out = _better(cube, logs, seed)
    return ExpectedCost(
        space=space,
        median=float(np.median(outcomes.seconds)),
        regressor=_regressor(kind).fit(cube, logs),
        smearing=float(np.exp(logs - left_out).mean()),
        logs=(float(logs.min()), float(logs.max())),
    )


def cost_quality(space: ParameterSpace, outcomes: Outcomes, seed: int) -> CostQuality | None:
    """Measure the seconds by cross-validation; None until enough samples were tried."""
    if len(outcomes) < FEWEST_SAMPLES:
        return None
    logs = _logs(outcomes)
    kind, left_out = _better(space.normalise(outcomes.parameters), logs, seed)
    spread, error = logs.var(), np.mean((left_out - logs) ** 2)
    return CostQuality(
        samples=len(outcomes),
        kind=kind,
        r2=float(1 - error / spread) if spread > 0 else 0.0,
        median_relative_error=float(np.median(np.abs(np.expm1(left_out - logs)))),
    )


def _logs(outcomes: Outcomes) -> Array:
    logs: Array = np.log(np.maximum(outcomes.seconds, _LEAST_SECONDS))
    return logs


def _better(cube: Array, logs: Array, seed: int) -> tuple[Kind, Array]:
    """Return the regression of smaller error and its log seconds at samples left out, (t,)."""
    found = {kind: _left_out(kind, cube, logs, seed) for kind in _KINDS}
    kind = min(_KINDS, key=lambda each: float(np.mean((found[each] - logs) ** 2)))
    return kind, found[kind]


def _left_out(kind: Kind, cube: Array, logs: Array, seed: int) -> Array:
    """Return each sample's log seconds as learnt from the other folds, shape (t,)."""
    left_out = np.empty(len(logs))
    for kept, out in KFold(_FOLDS, shuffle=True, random_state=seed % 2**32).split(cube):
        predicted = _regressor(kind).fit(cube[kept], logs[kept]).predict(cube[out])
        left_out[out] = np.clip(predicted, logs[kept].min(), logs[kept].max())
    return left_out


def _regressor(kind: Kind) -> Any:  # noqa: ANN401 - scikit-learn ships no types
    if kind == "boosting":
        return HistGradientBoostingRegressor(
            min_samples_leaf=5, early_stopping=False, random_state=0
        )
    features = PolynomialFeatures(2, include_bias=False)
    return make_pipeline(features, StandardScaler(), RidgeCV(np.logspace(-3, 3, 13)))
