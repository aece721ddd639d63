"""The chance that the solver succeeds at a point, learnt from how the tried samples ended.

[Rasmussen2006] C. E. Rasmussen and C. K. I. Williams, Gaussian processes for machine learning,
MIT Press, 2006, chapter 3.
[Gelbart2014] M. A. Gelbart, J. Snoek and R. P. Adams, Bayesian optimization with unknown
constraints, UAI 2014.
[Brier1950] G. W. Brier, Verification of forecasts expressed in terms of probability, Monthly
Weather Review 78(1), 1950.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from sklearn.gaussian_process import GaussianProcessClassifier
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, Kernel
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold

from pools.outcomes import Outcomes
from pools.space import ParameterSpace

Array = NDArray[np.float64]
Solved = NDArray[np.bool_]

FEWEST_FAILURES = 5
"""Fewer say nothing: every point is then held to be feasible."""
_FEWEST_SOLVED = 2
_FOLDS = 5
_FOR_KERNEL, _MOST = 300, 1000  # samples that the kernel, and that the classifier, are fitted to
_BLOCK = 8192  # points predicted at once: a block holds _BLOCK x _MOST numbers
_INSIDE = 1e-3  # sklearn warns of a kernel at its bounds, where a parameter does not matter


@dataclass(frozen=True, slots=True, eq=False)
class Feasibility:
    """A Gaussian-process classifier of points [Rasmussen2006, Gelbart2014].

    Attributes:
        space: the parameters.
        classifier: over the unit cube; None where too little has failed to say anything.
    """

    space: ParameterSpace
    classifier: GaussianProcessClassifier | None

    def __call__(self, parameters: Array) -> Array:
        """Return the chance of a solution at points in their own units, shape (n, d) to (n,)."""
        if self.classifier is None:
            return np.ones(len(parameters))
        return _chances(self.classifier, self.space.normalise(parameters))


@dataclass(frozen=True, slots=True)
class FeasibilityQuality:
    """How good the chances are at samples that were left out.

    Attributes:
        samples: how many were tried.
        failures: how many of them have no solution.
        brier: mean squared error of the chance; lower is better [Brier1950].
        base_brier: the same of always saying the share that was solved.
        auc: chance that a solved sample is held to be likelier than a failed one; 0.5 is a guess.
    """

    samples: int
    failures: int
    brier: float
    base_brier: float
    auc: float


def fit_feasibility(space: ParameterSpace, outcomes: Outcomes, seed: int) -> Feasibility:
    """Learn where the solver succeeds; everywhere, until enough samples have failed.

    Args:
        space: the parameters.
        outcomes: how the tried samples ended.
        seed: of the choice among very many samples.
    """
    if not _says_something(outcomes):
        return Feasibility(space, None)
    cube = space.normalise(outcomes.parameters)
    return Feasibility(space, _fit(cube, outcomes.solved, np.random.default_rng(seed)))


def feasibility_quality(
    space: ParameterSpace, outcomes: Outcomes, seed: int
) -> FeasibilityQuality | None:
    """Measure the chances by cross-validation; None until enough samples have failed."""
    if not _says_something(outcomes):
        return None
    chances = _left_out(space.normalise(outcomes.parameters), outcomes.solved, seed)
    share = outcomes.solved.mean()
    return FeasibilityQuality(
        samples=len(outcomes),
        failures=outcomes.failures,
        brier=float(np.mean((chances - outcomes.solved) ** 2)),
        base_brier=float(share * (1 - share)),
        auc=float(roc_auc_score(outcomes.solved, chances)),
    )


def _says_something(outcomes: Outcomes) -> bool:
    solved = len(outcomes) - outcomes.failures
    return outcomes.failures >= FEWEST_FAILURES and solved >= _FEWEST_SOLVED


def _fit(cube: Array, solved: Solved, rng: np.random.Generator) -> GaussianProcessClassifier:
    """Fit the kernel to some samples and the classifier to more of them: its cost is cubic."""
    order = _mixed(solved, rng)
    few, many = order[:_FOR_KERNEL], order[:_MOST]
    short = np.full(cube.shape[1], 0.5)  # from long ones, a parameter that matters may be lost
    kernel = ConstantKernel(10.0, (0.1, 100.0)) * RBF(short, (0.1, 10.0))
    first = GaussianProcessClassifier(kernel, optimizer=_optimise).fit(cube[few], solved[few])
    if len(many) == len(few):
        return first
    fitted: Kernel = first.kernel_
    return GaussianProcessClassifier(fitted, optimizer=None).fit(cube[many], solved[many])


def _mixed(solved: Solved, rng: np.random.Generator) -> NDArray[np.intp]:
    """Return the samples in the order given, or shuffled where not all are used.

    A sample of each outcome comes first, so that no part is of one outcome alone.
    """
    order = np.arange(len(solved))
    if len(solved) > _FOR_KERNEL:
        rng.shuffle(order)
    heads = [int(np.argmax(solved[order] == outcome)) for outcome in (True, False)]
    return np.concatenate([order[heads], np.delete(order, heads)])


def _optimise(
    objective: Callable[..., tuple[float, Array]], initial_theta: Array, bounds: Array
) -> tuple[Array, float]:
    """Minimise over the logarithms of the kernel's parameters, a little inside their bounds."""
    inner = np.add(bounds, [_INSIDE, -_INSIDE])
    found: Any = minimize(objective, initial_theta, jac=True, bounds=inner, method="L-BFGS-B")
    return found.x, float(found.fun)


def _chances(classifier: GaussianProcessClassifier, cube: Array) -> Array:
    blocks = [cube[start : start + _BLOCK] for start in range(0, len(cube), _BLOCK)]
    column = list(classifier.classes_).index(True)
    chances = [classifier.predict_proba(block)[:, column] for block in blocks]
    return np.concatenate([np.empty(0), *chances])


def _left_out(cube: Array, solved: Solved, seed: int) -> Array:
    """Return each sample's chance as learnt from the other folds, shape (t,)."""
    folds = min(_FOLDS, int(solved.sum()), int((~solved).sum()))
    split = StratifiedKFold(folds, shuffle=True, random_state=seed % 2**32)
    chances = np.empty(len(solved))
    for kept, out in split.split(cube, solved):
        classifier = _fit(cube[kept], solved[kept], np.random.default_rng(seed))
        chances[out] = _chances(classifier, cube[out])
    return chances
