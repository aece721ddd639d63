"""How a surrogate learns the fine level from two: four ways, the same samples, paired seeds.

`fine only` does not see the coarse level. `level input` is one ensemble of both levels, the level
being an input. `autoregressive` gives what a coarse ensemble predicts to a fine one as further
inputs [Perdikaris2017], `rho and delta` adds to it, times a factor, what an ensemble learnt of the
difference [Kennedy2000]. The error is the mean over quantities of the RMSE over the spread.

[Kennedy2000] M. C. Kennedy and A. O'Hagan, Predicting the output from a complex computer code when
fast approximations are available, Biometrika 87(1), 2000.
[Perdikaris2017] P. Perdikaris, M. Raissi, A. Damianou, N. D. Lawrence and G. E. Karniadakis,
Nonlinear information fusion algorithms for data-efficient multi-fidelity modelling, Proceedings of
the Royal Society A 473, 2017.
"""

import argparse
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator

from benchmarks.fidelity import PAIRS
from benchmarks.fidelity_loop import COARSE, Pair
from benchmarks.scores import typical
from surrogates.ensemble import initialise, train
from surrogates.settings import EnsembleSettings, Schedule

Array = NDArray[np.float64]
Predict = Callable[[Array], Array]

_SURROGATE = EnsembleSettings(
    initial=Schedule(kind="cosine", start=3e-3, end=1e-5, length=1500),
)
_COUNTS = {"combined": ((16, 64), (48, 96)), "forrester": ((6, 16), (10, 20))}


@dataclass(frozen=True, slots=True, eq=False)
class Solved:
    """Inputs in [-1, 1], shape (m, d), and quantities, shape (m, q)."""

    inputs: Array
    quantities: Array

    @classmethod
    def of(cls, pair: Pair, rows: Array, level: str) -> "Solved":
        """Solve points, shape (m, d), at a level; what fails is left out."""
        solutions = pair.solve(rows, level)
        points = np.array([each.sample.row(pair.space.names) for each in solutions])
        values = [[q.value for q in each.quantities.values()] for each in solutions]
        return cls(2 * pair.space.encode(points) - 1, np.array(values))


def ensemble(inputs: Array, targets: Array, seed: int) -> Predict:
    """Train an ensemble and return its mean as a function of inputs, shape (n, d) to (n, q)."""
    generator = Generator().manual_seed(seed)
    mean, spread = targets.mean(0), targets.std(0)
    data = (torch.from_numpy(inputs), torch.from_numpy((targets - mean) / spread))
    fresh = initialise(inputs.shape[1], targets.shape[1], _SURROGATE, generator)
    network, _ = train(fresh, data, _SURROGATE, _SURROGATE.initial, generator)

    def predict(points: Array) -> Array:
        members = torch.from_numpy(points).float().expand(_SURROGATE.members, -1, -1)
        with torch.no_grad():
            return mean + spread * network(members).double().mean(0).numpy()

    return predict


def fine_only(coarse: Solved, fine: Solved, seed: int) -> Predict:  # noqa: ARG001 - that is it
    """Learn from the fine level alone."""
    return ensemble(fine.inputs, fine.quantities, seed)


def level_input(coarse: Solved, fine: Solved, seed: int) -> Predict:
    """Learn from both, the level as an input."""
    inputs = np.concatenate([_with(coarse.inputs, -1), _with(fine.inputs, 1)])
    learnt = ensemble(inputs, np.concatenate([coarse.quantities, fine.quantities]), seed)
    return lambda points: learnt(_with(points, 1))


def autoregressive(coarse: Solved, fine: Solved, seed: int) -> Predict:
    """Learn from the parameters and what a coarse ensemble says there [Perdikaris2017]."""
    below = ensemble(coarse.inputs, coarse.quantities, seed)
    mean, spread = coarse.quantities.mean(0), coarse.quantities.std(0)

    def extended(points: Array) -> Array:
        return np.concatenate([points, (below(points) - mean) / spread], 1)

    learnt = ensemble(extended(fine.inputs), fine.quantities, seed + 1)
    return lambda points: learnt(extended(points))


def rho_and_delta(coarse: Solved, fine: Solved, seed: int) -> Predict:
    """Learn what a factor times a coarse ensemble lacks to the fine level [Kennedy2000]."""
    below = ensemble(coarse.inputs, coarse.quantities, seed)
    known = below(fine.inputs)
    factor = [np.polyfit(k, q, 1)[0] for k, q in zip(known.T, fine.quantities.T, strict=True)]
    delta = ensemble(fine.inputs, fine.quantities - factor * known, seed + 1)
    return lambda points: factor * below(points) + delta(points)


WAYS: Mapping[str, Callable[[Solved, Solved, int], Predict]] = {
    "fine only": fine_only,
    "level input": level_input,
    "autoregressive": autoregressive,
    "rho and delta": rho_and_delta,
}


def errors_of(pair: Pair, fine: int, coarse: int, seeds: int) -> dict[str, Array]:
    """Return each way's error on a test set, shape (seeds,)."""
    test = Solved.of(pair, pair.space.sobol(pair.tests, 999), "")
    found: dict[str, list[float]] = {name: [] for name in WAYS}
    for seed in range(seeds):
        rows = pair.space.sobol(coarse, seed)
        below, above = Solved.of(pair, rows, COARSE), Solved.of(pair, rows[:fine], "")
        for name, way in WAYS.items():
            off = way(below, above, seed)(test.inputs) - test.quantities
            found[name].append(float(np.mean(np.sqrt((off**2).mean(0)) / test.quantities.std(0))))
    return {name: np.array(errors) for name, errors in found.items()}


def _with(inputs: Array, level: float) -> Array:
    return np.column_stack([inputs, np.full(len(inputs), level)])


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--full", action="store_true", help="10 seeds, two sizes")
    is_full = parser.parse_args().full
    seeds, sizes = (10, 2) if is_full else (3, 1)
    print("| problem | fine, coarse samples | " + " | ".join(WAYS) + " |")
    print("|---" * (len(WAYS) + 2) + "|")
    for name, counts in _COUNTS.items():
        for fine, coarse in counts[:sizes]:
            errors = errors_of(PAIRS[name], fine, coarse, seeds)
            means = " | ".join(f"{typical(each[:, None])[0]:.3f}" for each in errors.values())
            print(f"| {name} | {fine}, {coarse} | {means} |", flush=True)


if __name__ == "__main__":
    main()
